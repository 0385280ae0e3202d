/**
 * A network as plain data: ONNX nodes in running order, and the type and shape of every value.
 *
 * Everything that handles a network handles this: `builder.ts` writes it, `simplify.ts`, `inline.ts` and
 * `models/gradient` turn one into another, `model.ts` makes ONNX bytes of it, and an engine of our own walks it.
 * A value is a name; what is known of it stands in `values`. Every name is written once, by one node, before it is
 * read. Sizes are numbers: a graph is built for one batch and one tile size.
 */
import type { ElementType, Init } from "../../attention/index.ts";

export type { ElementType, Init };

/** What a value holds. */
export interface ValueType {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A value and its name. */
export interface NamedValue extends ValueType {
  readonly name: string;
}

/** The numbers of a value: float32, int64 or bool (0 and 1). */
export type Data = Float32Array | BigInt64Array | Uint8Array;

export type AttributeValue = number | string | readonly number[];

export interface OnnxNode {
  /** The ONNX operation; with `function`, the function's name. */
  readonly op: string;
  /** Key into the functions of the graph, where the node is a call. */
  readonly function?: string;
  /** Names; the empty name is an input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Set on an `Identity` that gradients do not pass. */
  readonly stopsGradient?: true;
}

/** What a graph and a function have in common. */
export interface Body {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Type and shape of every name of this body: inputs, weights, constants, outputs of nodes. */
  readonly values: ReadonlyMap<string, ValueType>;
  readonly constants: ReadonlyMap<string, Data>;
  /** In running order. */
  readonly nodes: readonly OnnxNode[];
}

/** An operator that is called by name. Its body needs nothing but its inputs. */
export interface OnnxFunction extends Body {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Tells functions of one name apart: empty for the first. */
  readonly overload: string;
}

/** A stored value: a weight, or a buffer that training does not move. */
export interface Stored {
  readonly init: Init | Float32Array;
  readonly trainable: boolean;
}

export interface OnnxGraph extends Body {
  /** Weights and buffers by name; types and shapes are in `values`. */
  readonly weights: ReadonlyMap<string, Stored>;
  /** Stored value → the value that replaces it after a run: running statistics, trained weights. */
  readonly updates: ReadonlyMap<string, string>;
  /** By key: the function's name, and its overload where it has one. */
  readonly functions: ReadonlyMap<string, OnnxFunction>;
}

/** The domain of our functions. */
export const FUNCTION_DOMAIN = "nadir.attention";

/** Which node writes a value. */
export function producers(nodes: readonly OnnxNode[]): Map<string, OnnxNode> {
  const by = new Map<string, OnnxNode>();
  for (const node of nodes) for (const name of node.outputs) by.set(name, node);
  return by;
}

/** A body without the nodes, constants and values that nothing in `keep` needs. */
export function reachable<B extends Body>(body: B, keep: readonly string[] = body.outputs): B {
  const needed = new Set<string>(keep);
  const nodes: OnnxNode[] = [];
  for (const node of body.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of node.inputs) needed.add(name);
  }
  for (const node of nodes) for (const name of node.outputs) if (name !== "") needed.add(name);
  for (const name of body.inputs) needed.add(name);
  const only = <T>(map: ReadonlyMap<string, T>) =>
    new Map([...map].filter(([name]) => needed.has(name)));
  return {
    ...body,
    nodes: nodes.reverse(),
    constants: only(body.constants),
    values: only(body.values),
  };
}
