/** Operations as files from elsewhere write them: the WebGPU engine against ONNX Runtime, or a refusal by name. */
import { afterAll, describe, expect, test } from "vitest";
import { ATTRIBUTE_TYPE, readNetwork, writeModel } from "../../../../models/index.ts";
import { loadNetwork } from "../../../../pipeline/engines/webgpu.ts";
import { lower } from "../../../../pipeline/engines/webgpu/lower.ts";
import { createEngine } from "../../../../pipeline/index.ts";
import { NODE_ENGINES } from "../../../../pipeline/node.ts";
import { expectClose } from "../../../close.ts";
import { modelOf, port, weight } from "../../../models/decode/heads.ts";
import type { Given } from "../../../models/decode/heads.ts";
import { numbers } from "../../../numbers.ts";
import { openTestDevice } from "../../../webgpu.ts";

const device = await openTestDevice();
afterAll(async () => device?.[Symbol.asyncDispose]());

const SHAPE = [1, 2, 7, 8] as const;

/** A node of one map, with constants as its other inputs. */
interface Written {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
  readonly constants?: readonly Given[];
}

const ints = (...values: readonly number[]): Given => ({
  dims: [values.length],
  values,
  type: "int64",
});

function attribute([name, value]: readonly [string, number | string | readonly number[]]) {
  if (typeof value === "string") {
    return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
  }
  if (typeof value === "object") return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
  return Number.isInteger(value)
    ? { name, type: ATTRIBUTE_TYPE.int, i: value }
    : { name, type: ATTRIBUTE_TYPE.float, f: value };
}

function fileOf({ op, attributes = {}, constants = [] }: Written): Uint8Array {
  const initializer = constants.map((given, i) => weight(`c${i}`, given));
  const node = {
    opType: op,
    input: ["x", ...initializer.map(({ name }) => name)],
    output: ["out"],
    attribute: Object.entries(attributes).map(attribute),
  };
  const output = [port("out", "float32", ["b", "c", "y", "x"])];
  return writeModel({
    ...modelOf({ image: SHAPE, imageName: "x" }, { initializer, node: [node], output }),
    opsetImport: [{ domain: "", version: 18 }],
  });
}

const POOL = { kernel_shape: [3, 3], strides: [2, 2] } as const;

const SAME: Readonly<Record<string, Written>> = {
  "maxima of windows that reach beyond the map": {
    op: "MaxPool",
    attributes: { ...POOL, strides: [2, 3], ceil_mode: 1 },
  },
  "maxima without the window that would begin in the padding": {
    op: "MaxPool",
    attributes: { ...POOL, strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1, storage_order: 1 },
  },
  "a slice from before the first place": {
    op: "Slice",
    constants: [ints(-100, 1), ints(5, 100), ints(-1, 2), ints(2, 1)],
  },
  "padding, and cutting off, of named axes": {
    op: "Pad",
    constants: [ints(1, -2, 2, 3), { dims: [], values: [0.5] }, ints(3, -2)],
  },
  "an exponential unit with a slope of its own": { op: "Elu", attributes: { alpha: 0.3 } },
  "means whose windows stay on the map": {
    op: "AveragePool",
    attributes: { ...POOL, strides: [2, 1], ceil_mode: 1 },
  },
};

const REFUSED: Readonly<Record<string, readonly [Written, RegExp]>> = {
  "a mean beyond the map": [
    { op: "AveragePool", attributes: { ...POOL, ceil_mode: 1 } },
    /AveragePool must keep its windows on the map, received ceil_mode 1/,
  ],
  "a mean that leaves its padding out": [
    { op: "AveragePool", attributes: { ...POOL, pads: [1, 1, 1, 1] } },
    /AveragePool must count its padding/,
  ],
  "padding that is left to the runtime": [
    { op: "MaxPool", attributes: { ...POOL, auto_pad: "SAME_UPPER" } },
    /MaxPool: the padding must be said, received auto_pad SAME_UPPER/,
  ],
  "a transposed convolution to a given size": [
    {
      op: "ConvTranspose",
      attributes: { strides: [2, 2], output_shape: [14, 16] },
      constants: [{ dims: [2, 1, 3, 3], values: numbers(18, 2) }],
    },
    /ConvTranspose: the padding must be said, received output_shape/,
  ],
};

describe.skipIf(!device)("on a device", () => {
  test.each(Object.entries(SAME))("%s", async (_name, written) => {
    const bytes = fileOf(written);
    const x = { type: "float32", dims: SHAPE, data: numbers(112, 3) } as const;
    const runtime = await createEngine("onnxruntime-node", NODE_ENGINES);
    await using theirs = await runtime.load(bytes, { threads: 1 });
    await using ours = await loadNetwork(device!, readNetwork(bytes));
    const [wanted, found] = [await theirs.run({ x }), await ours.run({ x })];
    expect(found["out"]?.dims).toEqual(wanted["out"]?.dims);
    expectClose(found["out"]?.data as Float32Array, wanted["out"]?.data as Float32Array, 2e-5);
  });
});

test.each(Object.entries(REFUSED))("%s is refused", (_name, [written, why]) => {
  expect(() => lower(readNetwork(fileOf(written)))).toThrow(why);
});
