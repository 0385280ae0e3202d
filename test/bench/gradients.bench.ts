/**
 * Backward passes of convolutions in ONNX Runtime on one CPU thread: the form that `models/onnx/operations` writes
 * beside the forms it could have written, as ratios to the forward pass of the same run.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { bench, describe } from "vitest";
import { volume } from "../../attention/tensor.ts";
import type { NamedValue, OnnxGraph } from "../../models/onnx/graph.ts";
import { toTrainingOnnx } from "../../models/onnx/model.ts";
import { CONVOLUTION } from "../../models/onnx/operations/convolution.ts";
import { range } from "../../models/onnx/operations/operation.ts";
import type { Writer } from "../../models/onnx/operations/operation.ts";
import {
  concat,
  mul,
  pad,
  reshape,
  slice,
  sum,
  transpose,
} from "../../models/onnx/operations/write.ts";
import { addValue, createSheet, writerOf } from "../../models/onnx/writer.ts";

interface Layer {
  readonly batch: number;
  readonly channels: number;
  readonly size: number;
  readonly kernel: number;
  readonly depthwise: boolean;
}
type Write = (w: Writer, x: NamedValue, weight: NamedValue, g: NamedValue) => NamedValue;

const LAYERS: readonly Layer[] = [
  { batch: 4, channels: 64, size: 80, kernel: 3, depthwise: false },
  { batch: 4, channels: 128, size: 40, kernel: 1, depthwise: false },
  { batch: 4, channels: 64, size: 80, kernel: 3, depthwise: true },
  { batch: 4, channels: 64, size: 40, kernel: 11, depthwise: true },
];
const RUNS = 5;

/** The fastest of a few runs, in milliseconds. */
async function fastest(
  { batch, channels, size, kernel, depthwise }: Layer,
  write: Write,
): Promise<number> {
  const map = [batch, channels, size, size];
  const shapes = { x: map, weight: [channels, depthwise ? 1 : channels, kernel, kernel], g: map };
  const sheet = createSheet("bench");
  const [x, weight, g] = Object.entries(shapes).map(([name, shape]) =>
    addValue(sheet, name, { type: "float32", shape }),
  ) as [NamedValue, NamedValue, NamedValue];
  const y = write(writerOf(sheet), x, weight, g);
  const none = { weights: new Map(), updates: new Map(), functions: new Map() };
  const graph: OnnxGraph = { ...sheet, ...none, inputs: Object.keys(shapes), outputs: [y.name] };
  const session = await InferenceSession.create(toTrainingOnnx(graph), { intraOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      new Tensor("float32", new Float32Array(volume(shape)).fill(0.1), shape),
    ]),
  );
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - start);
  }
  await session.release();
  return best;
}

/** The forms of one layer's passes. */
function formsOf({ channels, size, kernel, depthwise }: Layer): Record<string, Write> {
  const side = (kernel - 1) / 2;
  const pads = [side, side, side, side];
  const attributes = { kernel_shape: [kernel, kernel], pads, group: depthwise ? channels : 1 };
  const rule =
    (i: number): Write =>
    (w, x, weight, g) => {
      const { gradient } = CONVOLUTION["Conv"] ?? {};
      if (typeof gradient !== "function") throw new TypeError("Conv must have a gradient rule");
      const site = {
        op: "Conv",
        inputs: [x, weight],
        attributes,
        constant: () => undefined,
        producer: () => undefined,
      };
      const wants = (input: number) => input === i;
      const found = gradient(w, { ...site, outputs: [g], cotangents: [g], wants })[i];
      if (found === undefined) throw new TypeError("Conv must have a gradient");
      return found;
    };
  const turned = [1, 0, 2, 3];
  const whole: Write = (w, x, _, g) =>
    w.node("Conv", [transpose(w, x, turned), transpose(w, g, turned)], {
      kernel_shape: [size, size],
      pads,
    });
  const shifted: Write = (w, x, _, g) => {
    const wide = pad(w, x, [0, 0, side, side], [0, 0, side, side]);
    const taps = range(kernel * kernel).map((i) => {
      const [row, column] = [Math.floor(i / kernel), i % kernel];
      const seen = slice(w, slice(w, wide, 2, row, row + size), 3, column, column + size);
      return sum(w, mul(w, g, seen), [0, 2, 3]);
    });
    return reshape(w, concat(w, taps, 0), [kernel * kernel, channels]);
  };
  return {
    forward: (w, x, weight) => w.node("Conv", [x, weight], attributes),
    "kernel gradient": rule(1),
    ...(depthwise
      ? { "kernel gradient, shifted products": shifted }
      : { "kernel gradient, one convolution": whole }),
    "map gradient": rule(0),
    "map gradient, ConvTranspose": (w, _, weight, g) =>
      w.node("ConvTranspose", [g, weight], attributes),
  };
}

describe("gradients of convolutions", () => {
  bench(
    "every form",
    async () => {
      for (const layer of LAYERS) {
        const { batch, channels, size, kernel, depthwise } = layer;
        const times: Record<string, number> = {};
        for (const [form, write] of Object.entries(formsOf(layer)))
          times[form] = await fastest(layer, write);
        const forward = times["forward"] ?? Number.NaN;
        const kind = depthwise ? "depthwise" : "plain";
        console.log(
          `\n${kind} ${kernel}×${kernel}, ${batch} × ${channels} × ${size}²: forward ${forward.toFixed(1)} ms`,
        );
        for (const [form, ms] of Object.entries(times).slice(1)) {
          console.log(`  ${form.padEnd(36)} ${(ms / forward).toFixed(2)} × forward`);
        }
      }
    },
    { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 },
  );
});
