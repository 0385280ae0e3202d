/** Elementwise operations of ONNX as WGSL. Truth is 1 and falsehood 0. */

type Formula = (a: string, b: string) => string;

export const UNARY: Readonly<Record<string, (x: string) => string>> = {
  Abs: (x) => `abs(${x})`,
  Atan: (x) => `atan(${x})`,
  Cos: (x) => `cos(${x})`,
  Erf: (x) => `erf(${x})`,
  Exp: (x) => `exp(${x})`,
  Floor: (x) => `floor(${x})`,
  Gelu: (x) => `gelu(${x})`,
  GeluTanh: (x) => `geluTanh(${x})`,
  HardSwish: (x) => `hardswish(${x})`,
  Log: (x) => `log(${x})`,
  Neg: (x) => `-(${x})`,
  Not: (x) => `1.0 - ${x}`,
  Reciprocal: (x) => `1.0 / ${x}`,
  Relu: (x) => `max(${x}, 0.0)`,
  Round: (x) => `round(${x})`,
  Sigmoid: (x) => `sigmoid(${x})`,
  Silu: (x) => `silu(${x})`,
  Sin: (x) => `sin(${x})`,
  Softplus: (x) => `softplus(${x})`,
  Sqrt: (x) => `sqrt(${x})`,
  Tanh: (x) => `tanhOf(${x})`,
};

/**
 * A number as WGSL has it. Infinity is the largest number; digits go with an exponent where a whole number may be longer
 * than those of WGSL.
 */
export function literal(value: number): string {
  if (Number.isNaN(value)) return "nan()";
  if (Math.abs(value) === Infinity) return value > 0 ? "LARGEST" : "(-LARGEST)";
  return `f32(${Number.isInteger(value) && Math.abs(value) >= 2 ** 31 ? value.toExponential() : value})`;
}

/** Powers that are exact, and cost less than the general one, by their exponents. */
const POWERS: ReadonlyMap<string, (x: string) => string> = new Map([
  [literal(-1), (x) => `1.0 / ${x}`],
  [literal(0.5), (x) => `sqrt(${x})`],
  [literal(2), (x) => `${x} * ${x}`],
  [literal(3), (x) => `${x} * ${x} * ${x}`],
]);

const truth = (condition: string): string => `select(0.0, 1.0, ${condition})`;

export const BINARY: Readonly<Record<string, Formula>> = {
  Add: (a, b) => `${a} + ${b}`,
  Sub: (a, b) => `${a} - ${b}`,
  Mul: (a, b) => `${a} * ${b}`,
  Div: (a, b) => `${a} / ${b}`,
  Pow: (a, b) => POWERS.get(b)?.(a) ?? `power(${a}, ${b})`,
  Min: (a, b) => `min(${a}, ${b})`,
  Max: (a, b) => `max(${a}, ${b})`,
  Equal: (a, b) => truth(`${a} == ${b}`),
  Less: (a, b) => truth(`${a} < ${b}`),
  Greater: (a, b) => truth(`${a} > ${b}`),
  And: (a, b) => `${a} * ${b}`,
  Or: (a, b) => `max(${a}, ${b})`,
};
