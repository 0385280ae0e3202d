/** What the parts of the builder share: the body being written, and which value of the port is which of the body. */
import type { Value } from "../../../attention/index.ts";
import { ShapeError } from "../../../attention/index.ts";
import type { NamedValue, OnnxFunction, Stored } from "../graph.ts";
import type { Writer } from "../operations/operation.ts";
import { writerOf } from "../writer.ts";
import type { Sheet } from "../writer.ts";

export interface Desk {
  readonly sheet: Sheet;
  readonly inputs: string[];
  /** Shared by a graph and the functions that it calls. */
  readonly functions: Map<string, OnnxFunction>;
  /** Absent in a function: its weights are among its inputs. */
  readonly stored?: Map<string, Stored>;
  readonly updates: Map<string, string>;
  readonly training: boolean;
  readonly held: Map<number, NamedValue>;
}

/** A place at the desk: values that are written here carry `scope` in their names. */
export interface Place {
  readonly desk: Desk;
  readonly scope: string;
  readonly w: Writer;
}

export const placeAt = (desk: Desk, scope: string): Place => ({
  desk,
  scope,
  w: writerOf(desk.sheet, scope),
});

/** Value ids are unique across graphs, so that a value of another one is noticed. */
let lastId = 0;

/** Hands a value of the body out through the port. */
export function give<L extends string>(desk: Desk, layout: L, value: NamedValue): Value<L> {
  if (layout.split(" ").filter((axis) => axis !== "").length !== value.shape.length) {
    throw new ShapeError(
      `${desk.sheet.name}: [${layout}] must have an axis for each of [${value.shape.join(" ")}], received ${value.name}`,
    );
  }
  const id = ++lastId;
  desk.held.set(id, value);
  return { id, layout, type: value.type, shape: value.shape };
}

/** Takes a value of the port back. */
export function take(desk: Desk, value: Value): NamedValue {
  const found = desk.held.get(value.id);
  if (found === undefined) {
    throw new RangeError(
      `${desk.sheet.name}: a value must belong to the graph it is used in (functions see their inputs only), received [${value.layout}]`,
    );
  }
  return found;
}

/** Which place an axis has in a layout. */
export function axisIn(caller: string, value: Value, axis: string): number {
  const at = value.layout.split(" ").indexOf(axis);
  if (at < 0) throw new ShapeError(`${caller}: no axis ${axis} in [${value.layout}]`);
  return at;
}
