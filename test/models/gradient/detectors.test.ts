import { describe, expect, test } from "vitest";
import { gradient, gradientName } from "../../../models/gradient/gradient.ts";
import {
  detector,
  initialWeights,
  LOSS,
  lossGraph,
  PORTS,
  TARGETS,
} from "../../../models/index.ts";
import type { DetectorOptions } from "../../../models/index.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";
import { inlineFunctions } from "../../../models/onnx/inline.ts";
import { toTrainingOnnx } from "../../../models/onnx/model.ts";
import { onnxruntimeNode } from "../../../pipeline/engines/onnxruntime-node.ts";
import type { EngineTensor } from "../../../pipeline/engines/engine.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { drawnBatch } from "../../pipeline/training/curve.ts";

type Values = Readonly<Record<string, Float64Array>>;

const SIZE = { batch: 1, widthPx: 64, heightPx: 64, rows: 4 } as const;
const CLASSES = 3;

/** `x1 y1 x2 y2` as `cx cy w h θ`, turned a little. */
function turned(boxes: Float32Array): Float64Array {
  const rows = Array.from({ length: boxes.length / 4 }, (_, i) => boxes.slice(4 * i, 4 * i + 4));
  return Float64Array.from(
    rows.flatMap(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => {
      const [w, h] = [x2 - x1, y2 - y1];
      return [(x1 + x2) / 2, (y1 + y2) / 2, Math.max(w, h), Math.min(w, h), w < h ? -1.2 : 0.3];
    }),
  );
}

/** An image with objects, and weights off their start, where some are zero and cut others off. */
function startOf(graph: OnnxGraph, oriented: boolean): Values {
  const batch = drawnBatch(3, { size: 1, sidePx: SIZE.widthPx, rows: SIZE.rows, classes: CLASSES });
  const moved = [...initialWeights(graph, { seed: 1 })].map(([name, data], i) => {
    const noise = numbers(data.length, i);
    const trainable = graph.weights.get(name)?.trainable === true;
    return [
      name,
      Float64Array.from(data, (v, j) => Math.fround(v + (trainable ? 0.02 * (noise[j] ?? 0) : 0))),
    ];
  });
  return {
    ...Object.fromEntries(moved),
    [PORTS.image]: Float64Array.from(batch.images),
    [PORTS.gsdM]: Float64Array.of(0.5),
    [TARGETS.boxes]: oriented
      ? turned(batch.boxes).map(Math.fround)
      : Float64Array.from(batch.boxes),
    [TARGETS.classes]: Float64Array.from(batch.classes),
    [TARGETS.labelled]: Float64Array.from(batch.labelled),
  };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] ?? 0) * (b[i] ?? 0);
  return total;
};
const lengthOf = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));

/** A direction along which every weight's gradient counts about alike, and what lies across the gradient too. */
function evenDirection(slopes: Values, whole: number): Values {
  return Object.fromEntries(
    Object.entries(slopes).map(([name, slope], i) => {
      const scale = Math.max(lengthOf(slope), 1e-3 * whole);
      const noise = numbers(slope.length, 50 + i);
      const along = (v: number, j: number) => v / scale + (noise[j] ?? 0) / Math.sqrt(slope.length);
      return [name, slope.map((v, j) => along(v, j) / scale)];
    }),
  );
}

/** The graph with what stops gradients given as inputs: targets and weights that move with the prediction, but count as fixed. */
function withoutStops(graph: OnnxGraph, start: Values): { graph: OnnxGraph; fixed: Values } {
  const flat = inlineFunctions(graph);
  const at = interpret(flat, start);
  const stops = flat.nodes.filter(({ stopsGradient }) => stopsGradient === true);
  const fixed = stops.flatMap(({ outputs }) =>
    outputs.map((name) => [name, at.get(name)?.data ?? new Float64Array()] as const),
  );
  const nodes = flat.nodes.filter((node) => !stops.includes(node));
  return { graph: { ...flat, nodes }, fixed: Object.fromEntries(fixed) };
}

/** How the loss moves along a direction, by differences of doubles; no number moves by more than a millionth. */
function difference(loss: OnnxGraph, start: Values, direction: Values): number {
  const { graph, fixed } = withoutStops(loss, start);
  const most = Object.values(direction).reduce(
    (top, along) => along.reduce((a, v) => Math.max(a, Math.abs(v)), top),
    0,
  );
  const step = 1e-6 / most;
  const lossAt = (by: number): number => {
    const moved = Object.entries(direction).map(([name, along]) => [
      name,
      (start[name] ?? new Float64Array()).map((v, i) => v + by * (along[i] ?? 0)),
    ]);
    const feeds: Values = { ...start, ...fixed, ...(Object.fromEntries(moved) as Values) };
    return interpret(graph, feeds).get(LOSS.total)?.data[0] ?? Number.NaN;
  };
  return (lossAt(step) - lossAt(-step)) / (2 * step);
}

/** The gradients as they come out of a training session. */
async function runSingle(graph: OnnxGraph, start: Values): Promise<Values> {
  const load = { purpose: "training", threads: 1 } as const;
  await using session = await onnxruntimeNode.load(toTrainingOnnx(graph), load);
  const feeds = session.inputs.map(({ name }): [string, EngineTensor] => {
    const dims = graph.values.get(name)?.shape ?? [];
    return [name, { type: "float32", dims, data: Float32Array.from(start[name] ?? []) }];
  });
  const found = await session.run(Object.fromEntries(feeds));
  return Object.fromEntries(
    Object.entries(found).map(([name, { data }]) => [name, Float64Array.from(data, Number)]),
  );
}

const NETWORKS: Readonly<Record<string, Pick<DetectorOptions, "family" | "head" | "bins">>> = {
  "yolo-caa": { family: "yolo-caa" },
  "yolo-caa, oriented": { family: "yolo-caa", head: "oriented" },
  vit: { family: "vit" },
  swin: { family: "swin", bins: 4 },
};

describe("the gradient of a whole detector's loss", () => {
  test.each(Object.entries(NETWORKS))(
    "%s: is what differences give, and what training runs with",
    async (_, options) => {
      const network = detector({ size: "pico", classes: CLASSES, ...options });
      const loss = lossGraph(network, SIZE);
      const names = [...loss.weights].flatMap(([name, { trainable }]) => (trainable ? [name] : []));
      const start = startOf(loss, network.head.oriented);
      const graph = gradient(loss, LOSS.total, names);
      const exact = interpret(graph, start);
      const slopeOf = (name: string) => exact.get(gradientName(name))?.data ?? new Float64Array();
      const slopes: Values = Object.fromEntries(names.map((name) => [name, slopeOf(name)]));
      const whole = Math.hypot(...Object.values(slopes).map(lengthOf));

      const direction = evenDirection(slopes, whole);
      const expected = names.reduce((sum, n) => sum + dot(slopeOf(n), direction[n] ?? []), 0);
      // Most weights have their share of it.
      expect(expected).toBeGreaterThan(names.length / 4);
      const found = difference(loss, start, direction);
      expect(Math.abs(found / expected - 1)).toBeLessThan(1e-5);

      const single = await runSingle(graph, start);
      for (const name of names) {
        const [a, b] = [single[gradientName(name)] ?? new Float64Array(), slopeOf(name)];
        expect(a, name).toHaveLength(b.length);
        const off = lengthOf(a.map((v, i) => v - (b[i] ?? 0)));
        // Single precision; most is lost where batch norm sees four pixels.
        expect(off / (lengthOf(b) + 1e-3 * whole), name).toBeLessThan(3e-3);
      }
    },
    120_000,
  );
});
