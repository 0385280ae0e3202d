import { ModelError } from "../../../../models/index.ts";
import type { OnnxNode } from "../../../../models/index.ts";
import { read, shapeOf } from "../desk.ts";
import type { Desk } from "../desk.ts";
import type { Operand } from "../../../../attention/index.ts";

/** Turns a node into steps or views of a desk. */
export type Lowering = (desk: Desk, node: OnnxNode) => void;

export type Lowerings = Readonly<Record<string, Lowering>>;

export const nameOf = (node: OnnxNode): string => node.outputs[0] ?? "";

export function inputOf(node: OnnxNode, i: number): string {
  const name = node.inputs[i];
  if (name) return name;
  throw new ModelError(`webgpu: ${node.op} must have input ${i}, received none`);
}

export const operand = (desk: Desk, node: OnnxNode, i: number): Operand =>
  read(desk, inputOf(node, i));

export const resultShape = (desk: Desk, node: OnnxNode): readonly number[] =>
  shapeOf(desk, nameOf(node));

export const list = (node: OnnxNode, name: string): readonly number[] | undefined => {
  const value = node.attributes[name];
  return typeof value === "object" ? value : undefined;
};

export const pair = (
  node: OnnxNode,
  name: string,
  otherwise: number,
): readonly [number, number] => {
  const [y = otherwise, x = otherwise] = list(node, name) ?? [];
  return [y, x];
};

/** A node of a known operation, but with attributes that have no kernel. */
export const unfit = (node: OnnxNode, must: string, received: unknown): ModelError =>
  new ModelError(`webgpu: ${node.op} must ${must}, received ${String(received)}`);

/** An axis counted from the front. */
export function axisOf(node: OnnxNode, rank: number, otherwise: number): number {
  const axis = Number(node.attributes["axis"] ?? otherwise);
  return axis < 0 ? axis + rank : axis;
}
