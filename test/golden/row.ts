/** What the rows of the golden table are written with. */
import type { ElementType, Graph, Value } from "../../attention/index.ts";
import type { GraphBuilder } from "../../models/index.ts";
import type { Case } from "./case.ts";
import { tensorOf } from "./case.ts";

/** How a kind of case is run: one for every beginning of a name. */
export type Row = GraphRow | RunRow;

interface AnyRow {
  /** Answers for the cases whose names start with this; the longest one that fits is taken. */
  readonly prefix: string;
}

/** A case that is one graph. */
export interface GraphRow extends AnyRow {
  /** Writes the case's computation: every output that the case has, by name. */
  readonly build: (desk: Desk) => Readonly<Record<string, Value>>;
  /** Run as in training: outputs that are what a stored value is after the run. */
  readonly training?: Readonly<Record<string, string>>;
  /** Outputs whose last axis has no order. */
  readonly sets?: readonly string[];
}

/** A case of several runs. */
export interface RunRow extends AnyRow {
  /** Computes every `out.name` of the case. */
  readonly run: (c: Case) => Promise<ReadonlyMap<string, Float32Array>>;
}

/** A case laid out as a graph. */
export interface Desk {
  readonly c: Case;
  /** A graph whose weights are those of the case, by the case's names. */
  readonly g: Graph;
  /** Declares an input of the case: `in.name`. int64 for whole numbers, bool for bytes. */
  readonly input: <const L extends string>(name: string, layout: L) => Value<L>;
  /** An input of the case as a literal. */
  readonly literal: <const L extends string>(name: string, layout: L) => Value<L>;
  /** The graph with weights asked for under our names found under the case's. */
  readonly named: (alias: Alias) => Graph;
}

/** Our weight's name to the case's, or to a value made out of the case's weights. */
export type Alias = (name: string, g: Graph) => string | Value;

const TYPES = { F32: "float32", I32: "int64", I64: "int64", U8: "bool", BOOL: "bool" } as const;

/** The element type that a tensor of the case has in a graph. */
export function elementType(c: Case, name: string): ElementType {
  const { type } = tensorOf(c, name);
  if (type in TYPES) return TYPES[type as keyof typeof TYPES];
  throw new RangeError(
    `${c.name}: ${name} must be of ${Object.keys(TYPES).join(", ")}, received ${type}`,
  );
}

export function layOut(g: GraphBuilder, c: Case): Desk {
  return {
    c,
    g,
    named: (alias) => aliased(g, g, "", alias),
    input: (name, layout) =>
      g.input(name, layout, tensorOf(c, `in.${name}`).shape, elementType(c, `in.${name}`)),
    literal(name, layout) {
      const { shape, data } = tensorOf(c, `in.${name}`);
      const type = elementType(c, `in.${name}`);
      if (type === "int64") return g.constant(layout, shape, BigInt64Array.from(data, BigInt));
      return g.constant(
        layout,
        shape,
        type === "bool" ? Uint8Array.from(data) : Float32Array.from(data),
      );
    },
  };
}

function aliased(g: Graph, root: Graph, scope: string, alias: Alias): Graph {
  const find = <L extends string>(name: string, ask: (name: string) => Value<L>, layout: L) => {
    const found = alias(scope + name, root);
    return typeof found === "string" ? ask(found) : root.rename(found, layout);
  };
  return {
    ...g,
    at: (name) => aliased(g.at(name), root, `${scope}${name}.`, alias),
    weight: (name, layout, shape, init) =>
      find(name, (n) => root.weight(n, layout, shape, init), layout),
    buffer: (name, layout, shape, init) =>
      find(name, (n) => root.buffer(n, layout, shape, init), layout),
  };
}

/** An alias that replaces beginnings of names. */
export const prefixes =
  (table: Readonly<Record<string, string>>): Alias =>
  (name) => {
    const from = Object.keys(table).find((key) => name.startsWith(key));
    return from === undefined ? name : `${table[from]}${name.slice(from.length)}`;
  };
