/** Values out of JSON schemas, most of them fitting and some of them not: what a fuzzer sends. */
import fc, { type Arbitrary } from "fast-check";

export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
}

/** What fits the schema. */
export function fitting(schema: Schema): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting));
  const { minimum: min = -1e6, maximum: max = 1e6 } = schema;
  switch (schema.type) {
    case "integer":
      return fc.integer({ min: Math.max(min, -1e6), max: Math.min(max, 1e6) });
    case "number":
      return fc.double({ min, max, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "string":
      return schema.pattern === undefined
        ? fc.string({ minLength: schema.minLength ?? 0, maxLength: 12 })
        : fc.stringMatching(new RegExp(schema.pattern));
    case "array":
      return fc.array(fitting(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: 4,
      });
    case "object":
      return objects(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objects({ properties = {}, required = [], additionalProperties }: Schema) {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one)])),
    { requiredKeys: [...required] },
  );
  if (typeof additionalProperties !== "object") return known;
  const others = fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fitting(additionalProperties), { maxKeys: 2 }); // prettier-ignore
  return fc.tuple(known, others).map(([a, b]) => ({ ...b, ...a }));
}

/** What fits, or is spoiled in one place, or is something else altogether. */
export function nearly(schema: Schema): Arbitrary<unknown> {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      "../../etc/passwd",
      "\u0000",
      "-1",
      "1e999",
      "__proto__",
      "null",
      "9".repeat(400),
    ),
  );
  const spoiled = fc
    .tuple(fitting(schema), fc.nat(), odd)
    .map(([value, at, bad]) => spoil(value, at, bad));
  return fc.oneof(
    { weight: 3, arbitrary: fitting(schema) },
    { weight: 3, arbitrary: spoiled },
    odd,
  );
}

function spoil(value: unknown, at: number, bad: unknown): unknown {
  if (typeof value !== "object" || value === null) return bad;
  const keys = Object.keys(value);
  const key = keys[at % Math.max(1, keys.length)] ?? "extra";
  if (Array.isArray(value)) return [...value.slice(at % (value.length + 1)), bad];
  return { ...value, [at % 3 === 0 ? "extra" : key]: bad };
}
