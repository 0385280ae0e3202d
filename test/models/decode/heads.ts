/** Small ONNX files with heads of known content, as the exporters of each family lay them out. */
import { DATA_TYPE, type Draft, type ModelProto, writeModel } from "../../../models/index.ts";

/** An output that is the same for every picture. */
export interface Given {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  readonly type?: "float32" | "int64";
}

export interface HeadFile {
  readonly outputs: Readonly<Record<string, Given>>;
  /** Of the image input; a string is an open axis. @default 1 × 3 × 64 × 64 */
  readonly image?: readonly (number | string)[];
  readonly imageName?: string;
  readonly imageType?: "float32" | "uint8" | "float16";
  /** Inputs beside the image. */
  readonly beside?: Readonly<
    Record<string, { readonly dims: readonly (number | string)[]; readonly type: "int64" }>
  >;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An ONNX file whose outputs are `Identity` of constants. */
export function headFile(file: HeadFile): Uint8Array {
  const names = Object.entries(file.outputs);
  return writeModel(
    modelOf(file, {
      initializer: names.map(([name, given]) => weight(`${name}.value`, given)),
      node: names.map(([name]) => ({
        opType: "Identity",
        input: [`${name}.value`],
        output: [name],
      })),
      output: names.map(([name, { dims, type }]) => port(name, type ?? "float32", dims)),
    }),
  );
}

/** A model around a graph of the caller's. */
export function modelOf(
  {
    image = [1, 3, 64, 64],
    imageName = "images",
    imageType = "float32",
    beside = {},
    metadata = {},
  }: Omit<HeadFile, "outputs">,
  graph: Draft<NonNullable<ModelProto["graph"]>>,
): Draft<ModelProto> {
  return {
    irVersion: 8,
    producerName: "nadir tests",
    opsetImport: [{ domain: "", version: 16 }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: "head",
      input: [
        port(imageName, imageType, image),
        ...Object.entries(beside).map(([name, { dims, type }]) => port(name, type, dims)),
      ],
      ...graph,
    },
  };
}

type PortDraft =
  NonNullable<Draft<ModelProto>["graph"]> extends { readonly input?: infer P }
    ? NonNullable<P> extends readonly (infer E)[]
      ? E
      : never
    : never;

export function port(
  name: string,
  type: keyof typeof DATA_TYPE,
  dims: readonly (number | string)[],
): PortDraft {
  const dim = dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

export function weight(
  name: string,
  { dims, values, type = "float32" }: Given,
): {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
} {
  const data =
    type === "int64" ? BigInt64Array.from(Array.from(values), BigInt) : Float32Array.from(values);
  return { name, dims, dataType: DATA_TYPE[type], rawData: new Uint8Array(data.buffer) };
}

/** `[1, rows, columns]` of zeros (or `fill`) with some rows given. */
export function rowsWith(
  rows: number,
  columns: number,
  given: Readonly<Record<number, readonly number[]>>,
  fill = 0,
): Given {
  const values = new Float32Array(rows * columns).fill(fill);
  for (const [row, numbers] of Object.entries(given)) values.set(numbers, Number(row) * columns);
  return { dims: [1, rows, columns], values };
}

/** The same numbers as `[1, columns, rows]`. */
export function turned({ dims, values }: Given): Given {
  const [, rows = 0, columns = 0] = dims;
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < out.length; i++)
    out[i] = values[(i % rows) * columns + Math.floor(i / rows)]!;
  return { dims: [1, columns, rows], values: out };
}

/** Cells of strides 8, 16 and 32 in a picture of 64 × 64. */
export const CELLS: number = 64 + 16 + 4;
