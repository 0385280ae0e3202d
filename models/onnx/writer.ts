/** Writes nodes into a body, one after the other, each with the shape that its operation gives. */
import type {
  AttributeValue,
  Body,
  Data,
  ElementType,
  NamedValue,
  OnnxNode,
  ValueType,
} from "./graph.ts";
import type { Site, Writer } from "./operations/operation.ts";
import { operation } from "./operations/table.ts";

/** A body that is being written. */
export interface Sheet {
  readonly name: string;
  readonly values: Map<string, ValueType>;
  readonly constants: Map<string, Data>;
  readonly nodes: OnnxNode[];
  /** Constants by content, so that equal ones are written once. */
  readonly known: Map<string, NamedValue>;
  /** Outputs of nodes by what they compute, so that nothing is computed twice. */
  readonly computed: Map<string, readonly NamedValue[]>;
  /** The last number behind each name, so that the next free one is found at once. */
  readonly numbered: Map<string, number>;
}

/** An empty body, or a copy of one that is to be continued. */
export function createSheet(name: string, start?: Body): Sheet {
  const sheet: Sheet = {
    name,
    values: new Map(start?.values),
    constants: new Map(start?.constants),
    nodes: [...(start?.nodes ?? [])],
    known: new Map(),
    computed: new Map(),
    numbered: new Map(),
  };
  for (const [constant, data] of sheet.constants) {
    const type = sheet.values.get(constant);
    if (type !== undefined) sheet.known.set(content(type, data), { name: constant, ...type });
  }
  return sheet;
}

/** Adds a value under a name that is not taken: `hint`, or `hint_2`, `hint_3` … */
export function addValue(sheet: Sheet, hint: string, { type, shape }: ValueType): NamedValue {
  let name = hint;
  let n = sheet.numbered.get(hint) ?? 1;
  while (sheet.values.has(name)) name = `${hint}_${++n}`;
  sheet.numbered.set(hint, n);
  sheet.values.set(name, { type, shape });
  return { name, type, shape };
}

/** A value of the sheet by name. */
export function valueOf(sheet: Pick<Body, "name" | "values">, name: string): NamedValue {
  const found = sheet.values.get(name);
  if (found === undefined) throw new RangeError(`${sheet.name}: no value is called ${name}`);
  return { name, ...found };
}

/** A writer at the end of `sheet`; names of new values start with `scope`. */
export function writerOf(sheet: Sheet, scope = ""): Writer {
  const nodes: Writer["nodes"] = (op, inputs, attributes, count) => {
    const asked = inputs.map((value) => value?.name ?? "");
    const key = `${op} ${count} ${asked.join(" ")} ${JSON.stringify(attributes)}`;
    const known = sheet.computed.get(key);
    if (known !== undefined) return known;
    const site = siteOf(sheet, op, inputs, attributes);
    const given = operation(op).outputs(site).slice(0, count);
    const written = given.map((type) => addValue(sheet, `${scope}${op}`, type));
    sheet.nodes.push({
      op,
      inputs: asked,
      outputs: written.map(({ name }) => name),
      attributes,
    });
    sheet.computed.set(key, written);
    return written;
  };
  const constant: Writer["constant"] = (shape, data) => {
    const value = { type: typeOf(data), shape };
    const key = content(value, data);
    const found = sheet.known.get(key) ?? addValue(sheet, "constant", value);
    sheet.known.set(key, found);
    sheet.constants.set(found.name, data);
    return found;
  };
  return {
    nodes,
    constant,
    node: (op, inputs, attributes = {}) => first(op, nodes(op, inputs, attributes, 1)),
    number: (value) => constant([], Float32Array.of(value)),
    ints: (values) => constant([values.length], BigInt64Array.from(values, BigInt)),
  };
}

/** A node as its rules see it. */
export function siteOf(
  sheet: Pick<Body, "constants">,
  op: string,
  inputs: readonly (NamedValue | undefined)[],
  attributes: Readonly<Record<string, AttributeValue>>,
): Site {
  const constant = (i: number) => sheet.constants.get(inputs[i]?.name ?? "");
  return { op, inputs, attributes, constant };
}

function first(op: string, values: readonly NamedValue[]): NamedValue {
  const [value] = values;
  if (value === undefined) throw new TypeError(`${op}: an operation must have an output`);
  return value;
}

/** The type of the elements of an array. */
export const typeOf = (data: Data): ElementType =>
  data instanceof Float32Array ? "float32" : data instanceof BigInt64Array ? "int64" : "bool";

/** What makes two constants equal; large ones are only equal to themselves. */
function content({ type, shape }: ValueType, data: Data): string {
  const large = data.length > 256 ? `#${identity(data)}` : "";
  const bytes = new Uint8Array(data.buffer, data.byteOffset, large === "" ? data.byteLength : 0);
  return `${type} [${shape.join(" ")}] ${bytes.join(" ")}${large}`;
}

const identities = new WeakMap<Data, number>();
let counted = 0;
function identity(data: Data): number {
  const known = identities.get(data) ?? ++counted;
  identities.set(data, known);
  return known;
}
