/** Functions of one element, of two that broadcast, and the choice between two. */
import type { NamedValue } from "../graph.ts";
import { broadcast, cotangent, input, output } from "./operation.ts";
import type { BackwardSite, GradientRule, Operation, Site, Writer } from "./operation.ts";
import { add, div, mul, sub, sumTo, times, toFloat } from "./write.ts";

/** An elementwise function whose gradient is the cotangent times `slope(x, y)`. */
function unary(
  slope?: (w: Writer, x: NamedValue, y: NamedValue, site: BackwardSite) => NamedValue,
  attributes: Operation["attributes"] = {},
): Operation {
  const outputs: Operation["outputs"] = (site) => [input(site, 0)];
  if (slope === undefined) return { attributes, outputs, gradient: "none" };
  const gradient: GradientRule = (w, site) => [
    mul(w, cotangent(site), slope(w, input(site, 0), output(site), site)),
  ];
  return { attributes, outputs, gradient };
}

/** A function of two, with the gradients of both before broadcasting is undone. */
function binary(
  gradients?: (
    w: Writer,
    g: NamedValue,
    a: NamedValue,
    b: NamedValue,
    site: BackwardSite,
  ) => readonly [() => NamedValue, () => NamedValue],
  type?: "bool",
): Operation {
  const outputs = (site: Site) => {
    const [a, b] = [input(site, 0), input(site, 1)];
    if (a.type !== b.type) {
      throw new TypeError(
        `${site.op}: both operands must be of one type, received ${a.type} and ${b.type}`,
      );
    }
    return [{ type: type ?? a.type, shape: broadcast(site.op, a.shape, b.shape) }];
  };
  if (gradients === undefined) return { outputs, gradient: "none" };
  const gradient: GradientRule = (w, site) => {
    const [a, b] = [input(site, 0), input(site, 1)];
    const [ofA, ofB] = gradients(w, cotangent(site), a, b, site);
    return [
      site.wants(0) ? sumTo(w, ofA(), a.shape) : undefined,
      site.wants(1) ? sumTo(w, ofB(), b.shape) : undefined,
    ];
  };
  return { outputs, gradient };
}

const square = (w: Writer, x: NamedValue) => mul(w, x, x);
const plus = (w: Writer, x: NamedValue, by: number) => add(w, x, w.number(by));
const minusFrom = (w: Writer, from: number, x: NamedValue) => sub(w, w.number(from), x);
const compare = (w: Writer, op: "Greater" | "Less" | "Equal", a: NamedValue, b: NamedValue) =>
  toFloat(w, w.node(op, [a, b]));

/** 1 where `a` wins, ½ where both are equal: as PyTorch shares the gradient of a tie. */
function wins(w: Writer, op: "Greater" | "Less", a: NamedValue, b: NamedValue): NamedValue {
  return add(w, compare(w, op, a, b), times(w, compare(w, "Equal", a, b), 0.5));
}

const extreme = (op: "Greater" | "Less"): Operation =>
  binary((w, g, a, b) => [() => mul(w, g, wins(w, op, a, b)), () => mul(w, g, wins(w, op, b, a))]);

/** d/dx of x Φ(x), or of its tanh form, where the node says so. */
function geluSlope(w: Writer, x: NamedValue, _: NamedValue, site: BackwardSite): NamedValue {
  if (site.attributes["approximate"] === "tanh") {
    const [a, b] = [Math.sqrt(2 / Math.PI), 0.044715];
    const xx = square(w, x);
    const t = w.node("Tanh", [mul(w, times(w, x, a), plus(w, times(w, xx, b), 1))]);
    const inner = plus(w, times(w, xx, 3 * a * b), a);
    const rest = mul(w, mul(w, x, minusFrom(w, 1, square(w, t))), inner);
    return times(w, add(w, plus(w, t, 1), rest), 0.5);
  }
  const phi = times(w, plus(w, w.node("Erf", [times(w, x, Math.SQRT1_2)]), 1), 0.5);
  const density = times(
    w,
    w.node("Exp", [times(w, square(w, x), -0.5)]),
    1 / Math.sqrt(2 * Math.PI),
  );
  return add(w, phi, mul(w, x, density));
}

const alphaOf = (site: Site, otherwise: number) => {
  const alpha = site.attributes["alpha"];
  return typeof alpha === "number" ? alpha : otherwise;
};

/** 1 between the two bounds, 0 outside. */
const between = (w: Writer, x: NamedValue, low: number, high: number) =>
  toFloat(
    w,
    w.node("And", [w.node("Greater", [x, w.number(low)]), w.node("Less", [x, w.number(high)])]),
  );

function hardSwishSlope(w: Writer, x: NamedValue): NamedValue {
  const above = compare(w, "Greater", x, w.number(3));
  const middle = mul(w, between(w, x, -3, 3), plus(w, times(w, x, 1 / 3), 0.5));
  return add(w, above, middle);
}

/** Which operand is the sigmoid of the other one. */
function sigmoidOfOther({ inputs, producer }: BackwardSite): 0 | 1 | undefined {
  const is = (i: 0 | 1) => {
    const node = producer(i);
    return node?.op === "Sigmoid" && node.inputs[0] === inputs[1 - i]?.name;
  };
  return is(1) ? 1 : is(0) ? 0 : undefined;
}

const PRODUCT = binary((w, g, a, b) => [() => mul(w, g, b), () => mul(w, g, a)]);

/**
 * The product, and with it SiLU, `y = x σ(x)`: its slope `σ + y (1 − σ)` is made of what the forward pass has written,
 * in four maps; the rules of the product and of the sigmoid one after the other write six.
 */
const productGradient: GradientRule = (w, site) => {
  const at = sigmoidOfOther(site);
  if (at === undefined)
    return typeof PRODUCT.gradient === "function" ? PRODUCT.gradient(w, site) : [];
  const s = input(site, at);
  const slope = add(w, s, mul(w, output(site), minusFrom(w, 1, s)));
  const toX = mul(w, cotangent(site), slope);
  return at === 1 ? [toX, undefined] : [undefined, toX];
};

export const ELEMENTWISE: Readonly<Record<string, Operation>> = {
  Exp: unary((_, __, y) => y),
  Log: unary((w, x) => w.node("Reciprocal", [x])),
  Sqrt: unary((w, _, y) => div(w, w.number(0.5), y)),
  Reciprocal: unary((w, _, y) => w.node("Neg", [square(w, y)])),
  Neg: unary((w) => w.number(-1)),
  Abs: unary((w, x) => w.node("Sign", [x])),
  Sign: unary(),
  Tanh: unary((w, _, y) => minusFrom(w, 1, square(w, y))),
  Atan: unary((w, x) => w.node("Reciprocal", [plus(w, square(w, x), 1)])),
  Sin: unary((w, x) => w.node("Cos", [x])),
  Cos: unary((w, x) => w.node("Neg", [w.node("Sin", [x])])),
  Erf: unary((w, x) =>
    times(w, w.node("Exp", [w.node("Neg", [square(w, x)])]), 2 / Math.sqrt(Math.PI)),
  ),
  Sigmoid: unary((w, _, y) => mul(w, y, minusFrom(w, 1, y))),
  HardSigmoid: unary(
    (w, x, _, site) => {
      const [alpha, beta] = [alphaOf(site, 0.2), Number(site.attributes["beta"] ?? 0.5)];
      return times(w, between(w, x, -beta / alpha, (1 - beta) / alpha), alpha);
    },
    { alpha: "float", beta: "float" },
  ),
  Relu: unary((w, x) => compare(w, "Greater", x, w.number(0))),
  Elu: unary(
    (w, x, y, site) =>
      w.node("Where", [
        w.node("Greater", [x, w.number(0)]),
        w.number(1),
        plus(w, y, alphaOf(site, 1)),
      ]),
    { alpha: "float" },
  ),
  Softplus: unary((w, x) => w.node("Sigmoid", [x])),
  HardSwish: unary(hardSwishSlope),
  Gelu: unary(geluSlope, { approximate: "string" }),
  Floor: unary(),
  Round: unary(),
  Not: unary(),

  /** The copy of a value; where the node stops gradients, none passes. */
  Identity: {
    outputs: (site) => [input(site, 0)],
    gradient: (_, site) => [cotangent(site)],
  },
  Cast: {
    attributes: { to: "int" },
    outputs: (site) => {
      const type = ({ 1: "float32", 7: "int64", 9: "bool" } as const)[
        Number(site.attributes["to"]) as 1
      ];
      return [{ type, shape: input(site, 0).shape }];
    },
    gradient: (_, site) => [
      input(site, 0).type === "float32" && output(site).type === "float32"
        ? cotangent(site)
        : undefined,
    ],
  },

  Add: binary((_, g) => [() => g, () => g]),
  Sub: binary((w, g) => [() => g, () => w.node("Neg", [g])]),
  Mul: { ...PRODUCT, gradient: productGradient },
  Div: binary((w, g, _, b, site) => [
    () => div(w, g, b),
    () => w.node("Neg", [mul(w, g, div(w, output(site), b))]),
  ]),
  Pow: binary((w, g, a, b, site) => [
    () => mul(w, g, mul(w, b, w.node("Pow", [a, sub(w, b, w.number(1))]))),
    () => mul(w, g, mul(w, output(site), w.node("Log", [a]))),
  ]),
  Min: extreme("Less"),
  Max: extreme("Greater"),
  Equal: binary(undefined, "bool"),
  Less: binary(undefined, "bool"),
  Greater: binary(undefined, "bool"),
  And: binary(undefined, "bool"),
  Or: binary(undefined, "bool"),

  Where: {
    outputs: (site) => {
      const [condition, a, b] = [input(site, 0), input(site, 1), input(site, 2)];
      return [{ type: a.type, shape: broadcast("Where", condition.shape, a.shape, b.shape) }];
    },
    gradient: (w, site) => {
      const [condition, g, zero] = [input(site, 0), cotangent(site), w.number(0)];
      const branch = (i: 1 | 2, parts: readonly NamedValue[]) =>
        site.wants(i)
          ? sumTo(w, w.node("Where", [condition, ...parts]), input(site, i).shape)
          : undefined;
      return [undefined, branch(1, [g, zero]), branch(2, [zero, g])];
    },
  },
};
