/** Elementwise functions, matrix products and reductions. */
import type { Binary, Graph, Unary, Value } from "../../../attention/index.ts";
import { ShapeError } from "../../../attention/index.ts";
import { DATA_TYPE } from "../proto.ts";
import type { NamedValue } from "../graph.ts";
import { addValue } from "../writer.ts";
import { axisIn, give, take } from "./desk.ts";
import type { Place } from "./desk.ts";

/** The ONNX operation of a unary function, where it is one. */
const UNARY = {
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  reciprocal: "Reciprocal",
  neg: "Neg",
  abs: "Abs",
  tanh: "Tanh",
  atan: "Atan",
  sin: "Sin",
  cos: "Cos",
  erf: "Erf",
  sigmoid: "Sigmoid",
  relu: "Relu",
  elu: "Elu",
  softplus: "Softplus",
  hardswish: "HardSwish",
  gelu: "Gelu",
  floor: "Floor",
  round: "Round",
  not: "Not",
} as const satisfies Partial<Record<Unary, string>>;

const BINARY = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  pow: "Pow",
  min: "Min",
  max: "Max",
  equal: "Equal",
  less: "Less",
  greater: "Greater",
  and: "And",
  or: "Or",
} as const satisfies Record<Binary, string>;

const REDUCTION = {
  sum: "ReduceSum",
  mean: "ReduceMean",
  max: "ReduceMax",
  min: "ReduceMin",
} as const;

/** Checks two shapes from the last axis backwards, so that an error can name the axis. */
function checkBroadcast(caller: string, a: Value, b: Value): void {
  const [wide, other] = a.shape.length >= b.shape.length ? [a, b] : [b, a];
  const names = wide.layout.split(" ");
  for (let back = 1; back <= other.shape.length; back++) {
    const [m, n] = [a.shape.at(-back), b.shape.at(-back)];
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${caller}: ${names.at(-back)} is ${m} in a [${a.layout}] [${a.shape.join(" ")}] but ${n} in b [${b.layout}] [${b.shape.join(" ")}]`,
      );
    }
  }
}

function literal({ w }: Place, value: number, like: NamedValue): NamedValue {
  return like.type === "int64" ? w.constant([], BigInt64Array.of(BigInt(value))) : w.number(value);
}

function binary<L extends string>(
  place: Place,
  op: Binary,
  a: Value<L>,
  b: Value | number,
  caller: string = op,
): Value<L> {
  const { desk, w } = place;
  const left = take(desk, a);
  const right = typeof b === "number" ? literal(place, b, left) : take(desk, b);
  if (typeof b !== "number") checkBroadcast(caller, a, b);
  const layout = typeof b !== "number" && b.shape.length > a.shape.length ? b.layout : a.layout;
  // `L` is the layout of `a`; the port says that the operand of higher rank gives the result's.
  return give(desk, layout as L, w.node(BINARY[op], [left, right]));
}

function unary(place: Place, op: Unary, x: NamedValue): NamedValue {
  const { w } = place;
  if (op === "silu") return w.node("Mul", [x, w.node("Sigmoid", [x])]);
  if (op === "geluTanh") return w.node("Gelu", [x], { approximate: "tanh" });
  return w.node(UNARY[op], [x]);
}

function matmul<L extends string>({ desk, w }: Place, a: Value, b: Value, layout: L): Value<L> {
  const [k, l] = [a.shape.at(-1), b.shape.at(-2)];
  if (k !== l) {
    throw new ShapeError(
      `matmul: ${a.layout.split(" ").at(-1)} is ${k} in a [${a.layout}] [${a.shape.join(" ")}] but ${l} in b [${b.layout}] [${b.shape.join(" ")}]`,
    );
  }
  return give(desk, layout, w.node("MatMul", [take(desk, a), take(desk, b)]));
}

export function arithmeticPart(
  place: Place,
): Pick<
  Graph,
  | "unary"
  | "binary"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "scale"
  | "where"
  | "detach"
  | "cast"
  | "matmul"
  | "softmax"
  | "reduce"
> {
  const { desk, w } = place;
  const operand = (x: Value | number) => (typeof x === "number" ? w.number(x) : take(desk, x));
  return {
    unary: (op, x) => give(desk, x.layout, unary(place, op, take(desk, x))),
    binary: (op, a, b) => binary(place, op, a, b),
    add: (a, b) => binary(place, "add", a, b),
    sub: (a, b) => binary(place, "sub", a, b),
    mul: (a, b) => binary(place, "mul", a, b),
    div: (a, b) => binary(place, "div", a, b),
    scale: (x, by) => (by === 1 ? x : binary(place, "mul", x, by, "scale")),
    where(condition, a, b) {
      const choices = [condition, a, b].filter((v) => typeof v !== "number");
      for (const other of choices.slice(1)) checkBroadcast("where", condition, other);
      const widest = choices.reduce((x, y) => (y.shape.length > x.shape.length ? y : x));
      const named = [a, b].find(
        (v) => typeof v !== "number" && v.shape.length === widest.shape.length,
      );
      const layout = typeof named === "object" ? named.layout : widest.layout;
      const node = w.node("Where", [take(desk, condition), operand(a), operand(b)]);
      // As with `binary`: the layout of the operand of highest rank.
      return give(desk, layout as never, node);
    },
    detach(x) {
      const from = take(desk, x);
      const copy = addValue(desk.sheet, `${place.scope}Identity`, from);
      desk.sheet.nodes.push({
        op: "Identity",
        inputs: [from.name],
        outputs: [copy.name],
        attributes: {},
        stopsGradient: true,
      });
      return give(desk, x.layout, copy);
    },
    cast(x, type) {
      const from = take(desk, x);
      return from.type === type
        ? x
        : give(desk, x.layout, w.node("Cast", [from], { to: DATA_TYPE[type] }));
    },
    matmul: (a, b, layout) => matmul(place, a, b, layout),
    softmax: (x) => give(desk, x.layout, w.node("Softmax", [take(desk, x)], { axis: -1 })),
    reduce(how, x, axes) {
      const at = w.ints(axes.map((axis) => axisIn("reduce", x, axis)));
      return give(desk, x.layout, w.node(REDUCTION[how], [take(desk, x), at], { keepdims: 1 }));
    },
  };
}
