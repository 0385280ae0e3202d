/** Elementwise functions that WGSL lacks. A compiler drops those that a shader does not call. */
export const FUNCTIONS: string = /* wgsl */ `
// What stands for infinity: WGSL cannot name it, and drivers may take it that there is none.
const LARGEST = 3.4028234663852886e38;
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }
fn silu(x: f32) -> f32 { return x / (1.0 + exp(-x)); }
fn elu(x: f32, alpha: f32) -> f32 { return select(alpha * (exp(x) - 1.0), x, x > 0.0); }
fn softplus(x: f32) -> f32 { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }
fn hardswish(x: f32) -> f32 { return x * clamp(x / 6.0 + 0.5, 0.0, 1.0); }
// WGSL's tanh may overflow inside.
fn tanhOf(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }
// WGSL cannot write down what is no number; bits that are not known beforehand may be that.
fn nan() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }
// WGSL's pow knows no bases below zero: there a whole exponent says the sign, and another has no result.
fn power(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (x == 0.0 && y < 0.0) { return LARGEST; }
  let size = pow(abs(x), y);
  if (x >= 0.0) { return size; }
  if (y != floor(y)) { return nan(); }
  return select(size, -size, floor(y * 0.5) * 2.0 != y);
}
// Abramowitz and Stegun 7.1.26, |error| < 1.5e-7.
fn erf(x: f32) -> f32 {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - p * exp(-z * z));
}
fn gelu(x: f32) -> f32 { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
fn geluTanh(x: f32) -> f32 {
  return 0.5 * x * (1.0 + tanhOf(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}`;

/** Lanes of a row where they join through workgroup memory. */
const ROW_LANES = 64;

/** A function that joins a value of every lane, two by two. */
const tree = (name: string, join: (a: string, b: string) => string): string => /* wgsl */ `
fn ${name}(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  parts[lane] = value;
  for (var left = ROW_LANES / 2u; left > 0u; left /= 2u) {
    workgroupBarrier();
    if (lane < left) { parts[lane] = ${join("parts[lane]", "parts[lane + left]")}; }
  }
  workgroupBarrier();
  return parts[0];
}`;

/** How the lanes of a row join what each has found: as a subgroup where it holds them all, or through workgroup memory. */
export const joining = (subgroup: number | undefined): string =>
  subgroup === undefined
    ? /* wgsl */ `
const ROW_LANES = ${ROW_LANES}u;
var<workgroup> parts: array<f32, ${ROW_LANES}>;
${tree("rowSum", (a, b) => `${a} + ${b}`)}
${tree("rowMax", (a, b) => `max(${a}, ${b})`)}`
    : /* wgsl */ `enable subgroups;
const ROW_LANES = ${subgroup}u;
fn rowSum(value: f32, lane: u32) -> f32 { return subgroupAdd(value); }
fn rowMax(value: f32, lane: u32) -> f32 { return subgroupMax(value); }`;

/** A row that one lane takes alone. */
export const ALONE: string = /* wgsl */ `
const ROW_LANES = 1u;
fn rowSum(value: f32, lane: u32) -> f32 { return value; }
fn rowMax(value: f32, lane: u32) -> f32 { return value; }`;
