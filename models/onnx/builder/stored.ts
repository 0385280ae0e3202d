/** Inputs, weights, buffers and literals. */
import type { ElementType, Graph, Value } from "../../../attention/index.ts";
import { ShapeError, volume } from "../../../attention/index.ts";
import type { NamedValue, Stored } from "../graph.ts";
import { same } from "../operations/operation.ts";
import { addValue, valueOf } from "../writer.ts";
import { give } from "./desk.ts";
import type { Desk, Place } from "./desk.ts";

/** A graph that a network is written into: the port, and where data comes in. */
export interface GraphBuilder extends Graph {
  readonly input: <const L extends string>(
    name: string,
    layout: L,
    shape: readonly number[],
    type?: ElementType,
  ) => Value<L>;
}

/** A name that must not be taken. */
function declare(
  desk: Desk,
  name: string,
  type: ElementType,
  shape: readonly number[],
): NamedValue {
  if (desk.sheet.values.has(name)) {
    throw new RangeError(`${desk.sheet.name}: names must differ, received ${name} twice`);
  }
  return addValue(desk.sheet, name, { type, shape });
}

/** A stored value; asked for again under the same name it is the same one. */
function store(desk: Desk, name: string, shape: readonly number[], stored: Stored): NamedValue {
  if (desk.stored === undefined) {
    throw new RangeError(
      `${desk.sheet.name}: the weights of a function must be among its inputs, received a declaration of ${name}`,
    );
  }
  const known = desk.stored.get(name);
  if (known !== undefined) {
    const before = valueOf(desk.sheet, name);
    if (known.trainable === stored.trainable && same(before.shape, shape)) return before;
    throw new ShapeError(
      `${desk.sheet.name}: ${name} is shared and must keep its shape, received [${before.shape.join(" ")}] and [${shape.join(" ")}]`,
    );
  }
  desk.stored.set(name, stored);
  return declare(desk, name, "float32", shape);
}

export function storedPart({
  desk,
  scope,
  w,
}: Place): Pick<GraphBuilder, "input" | "weight" | "buffer" | "constant"> {
  return {
    input(name, layout, shape, type = "float32") {
      desk.inputs.push(name);
      return give(desk, layout, declare(desk, name, type, shape));
    },
    weight: (name, layout, shape, init) =>
      give(desk, layout, store(desk, scope + name, shape, { init, trainable: true })),
    buffer: (name, layout, shape, init) =>
      give(desk, layout, store(desk, scope + name, shape, { init, trainable: false })),
    constant(layout, shape, data) {
      if (volume(shape) !== data.length) {
        throw new ShapeError(
          `constant: [${shape.join(" ")}] must hold ${volume(shape)} values, received ${data.length}`,
        );
      }
      return give(desk, layout, w.constant(shape, data));
    },
  };
}
