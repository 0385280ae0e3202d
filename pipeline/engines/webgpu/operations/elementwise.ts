/** Elementwise operations: they join the step before them, or start from a copy. */
import { broadcast, copied, followedBy } from "../../../../attention/index.ts";
import type { Operand, Step } from "../../../../attention/index.ts";
import type { OnnxNode } from "../../../../models/index.ts";
import { fits, giveStep, giveView, read, scalarOf, take } from "../desk.ts";
import type { Desk } from "../desk.ts";
import { BINARY, literal, UNARY } from "../formulas.ts";
import { inputOf, nameOf, operand, resultShape, unfit } from "./operation.ts";
import type { Lowering, Lowerings } from "./operation.ts";

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** Writes `formula` of all inputs; the first pending one of the result's shape is what it joins. */
function join(desk: Desk, node: OnnxNode, formula: (args: readonly string[]) => string): void {
  const shape = resultShape(desk, node);
  const joined = node.inputs.findIndex((name) =>
    same(desk.pending.get(name)?.shape ?? [-1], shape),
  );
  const varying = node.inputs.findIndex((name) => scalarOf(desk, name) === undefined);
  const base = Math.max(joined < 0 ? varying : joined, 0);
  const before = joined < 0 ? undefined : take(desk, inputOf(node, base));
  const others: { readonly at: number; readonly operand: Operand }[] = [];
  const args = node.inputs.map((name, at) => {
    const value = scalarOf(desk, name);
    if (at !== base && value !== undefined) return literal(value);
    if (at !== base) others.push({ at, operand: read(desk, name) });
    return "v";
  });
  const operands = others.map((other) => other.operand);
  const follow = (step: Step) =>
    followedBy(step, operands, (_v, ...names) => {
      const written = [...args];
      for (const [i, { at }] of others.entries()) written[at] = names[i] ?? "v";
      return formula(written);
    });
  const fused = before && follow(before);
  if (fused && fits(fused)) return giveStep(desk, nameOf(node), fused);
  if (before) desk.pending.set(inputOf(node, base), before);
  const { from, view } = read(desk, inputOf(node, base));
  giveStep(desk, nameOf(node), follow(copied("", { from, view: broadcast(view, shape) })));
}

const unary = (formula: (x: string) => string): Lowering => {
  return (desk, node) => join(desk, node, ([x = "v"]) => formula(x));
};

const binary = (formula: (a: string, b: string) => string): Lowering => {
  return (desk, node) => join(desk, node, ([a = "v", b = "v"]) => formula(a, b));
};

/** The same numbers under another name or shape: what is pending stays so. */
export const relabel: Lowering = (desk, node) => {
  const shape = resultShape(desk, node);
  const step = take(desk, inputOf(node, 0));
  if (step) return giveStep(desk, nameOf(node), { ...step, shape });
  const { from, view } = operand(desk, node, 0);
  giveView(desk, nameOf(node), { from, view: { ...view, shape } });
};

/** Truth is stored as 1 and 0, whole numbers as themselves. */
const cast: Lowering = (desk, node) => {
  const type = (name: string) => desk.graph.values.get(name)?.type;
  const [from, to] = [type(inputOf(node, 0)), type(nameOf(node))];
  if (from === to || from === "bool" || (from === "int64" && to === "float32")) {
    return relabel(desk, node);
  }
  const formula = to === "bool" ? "select(0.0, 1.0, v != 0.0)" : "trunc(v)";
  join(desk, node, ([x = "v"]) => formula.replaceAll("v", x));
};

const where: Lowering = (desk, node) =>
  join(desk, node, ([c = "v", a = "v", b = "v"]) => `select(${b}, ${a}, ${c} != 0.0)`);

const gelu: Lowering = (desk, node) => {
  const name = node.attributes["approximate"] === "tanh" ? "GeluTanh" : "Gelu";
  join(desk, node, ([x = "v"]) => `${UNARY[name]?.(x)}`);
};

const elu: Lowering = (desk, node) => {
  const alpha = literal(Number(node.attributes["alpha"] ?? 1));
  join(desk, node, ([x = "v"]) => `elu(${x}, ${alpha})`);
};

/** Of whole numbers these round in ways of their own. */
const ofFloats = (op: "Div" | "Pow"): Lowering => {
  return (desk, node) => {
    const type = desk.graph.values.get(nameOf(node))?.type;
    if (type === "int64") throw unfit(node, "be of float32", type);
    join(desk, node, ([a = "v", b = "v"]) => `${BINARY[op]?.(a, b)}`);
  };
};

const each = <T>(table: Readonly<Record<string, T>>, make: (one: T) => Lowering): Lowerings =>
  Object.fromEntries(Object.entries(table).map(([op, one]) => [op, make(one)]));

export const ELEMENTWISE: Lowerings = {
  ...each(UNARY, unary),
  ...each(BINARY, binary),
  Cast: cast,
  Div: ofFloats("Div"),
  Elu: elu,
  Gelu: gelu,
  Identity: relabel,
  Pow: ofFloats("Pow"),
  Where: where,
};
