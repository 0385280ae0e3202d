/** Calls of operators by name: the body is written once for every distinct one. */
import type { Graph, Value } from "../../../attention/index.ts";
import { reachable } from "../graph.ts";
import type { Data, NamedValue, OnnxFunction } from "../graph.ts";
import { addValue, createSheet, valueOf } from "../writer.ts";
import { give, take } from "./desk.ts";
import type { Desk, Place } from "./desk.ts";

const sameData = (a: Data, b: Data | undefined): boolean =>
  a === b ||
  (a.length === b?.length && a.every((value: number | bigint, i: number) => value === b[i]));

/** Whether two functions do the same, name for name and number for number. */
function sameFunction(a: OnnxFunction, b: OnnxFunction): boolean {
  const text = ({ inputs, outputs, attributes, values, nodes }: OnnxFunction) =>
    JSON.stringify([inputs, outputs, attributes, [...values], nodes]);
  return (
    text(a) === text(b) &&
    [...a.constants].every(([name, data]) => sameData(data, b.constants.get(name)))
  );
}

/** The key of a function: an equal one that is known, or a new overload of its name. */
function keyOf(
  functions: Map<string, OnnxFunction>,
  written: Omit<OnnxFunction, "overload">,
): string {
  for (let n = 1; ; n++) {
    const overload = n === 1 ? "" : String(n);
    const key = n === 1 ? written.name : `${written.name}#${overload}`;
    const known = functions.get(key);
    if (known === undefined) functions.set(key, { ...written, overload });
    if (known === undefined || sameFunction(known, { ...written, overload })) return key;
  }
}

/** An output must come from a node: what is only handed through is copied. */
function fromNode(desk: Desk, value: NamedValue): NamedValue {
  const written = desk.sheet.nodes.some((node) => node.outputs.includes(value.name));
  if (written) return value;
  const copy = addValue(desk.sheet, "Identity", value);
  desk.sheet.nodes.push({
    op: "Identity",
    inputs: [value.name],
    outputs: [copy.name],
    attributes: {},
  });
  return copy;
}

export function callPart(
  { desk, scope }: Place,
  graphOf: (inner: Desk) => Graph,
): Pick<Graph, "call"> {
  return {
    call(name, attributes, inputs, body) {
      const inner: Desk = {
        sheet: createSheet(name),
        inputs: [],
        functions: desk.functions,
        updates: new Map(),
        training: desk.training,
        held: new Map(),
      };
      const parameters = inputs.map((value, i) => {
        const parameter = addValue(inner.sheet, `in${i}`, value);
        inner.inputs.push(parameter.name);
        return give(inner, value.layout, parameter);
      });
      // The parameters are the inputs one by one, so the tuple type of one is that of the other.
      const result = body(graphOf(inner), parameters as unknown as typeof inputs);
      const last = fromNode(inner, take(inner, result));
      const { values, constants, nodes } = inner.sheet;
      const outputs = [last.name];
      const written = { name, attributes, inputs: inner.inputs, outputs, values, constants, nodes };
      const key = keyOf(desk.functions, reachable(written));
      const output = addValue(desk.sheet, scope + name, valueOf(inner.sheet, last.name));
      desk.sheet.nodes.push({
        op: name,
        function: key,
        inputs: inputs.map((value: Value) => take(desk, value).name),
        outputs: [output.name],
        attributes,
      });
      return give(desk, result.layout, output);
    },
  };
}
