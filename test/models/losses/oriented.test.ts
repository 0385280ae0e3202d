import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { tensor } from "../../../attention/index.ts";
import { rotatedToCorners } from "../../../datasets/index.ts";
import { gradient, gradientName } from "../../../models/gradient/gradient.ts";
import type { HeadOptions } from "../../../models/heads/anchor-free.ts";
import { cornersOf, decodeOriented } from "../../../models/heads/box-decoding.ts";
import { detectionLoss } from "../../../models/losses/detection.ts";
import type { OrientedError } from "../../../models/losses/oriented.ts";
import { oriented } from "../../../models/losses/oriented.ts";
import type { GraphBuilder } from "../../../models/onnx/builder.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";
import { expectClose } from "../../close.ts";
import { eager } from "../../eager.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { runNative } from "../../onnxruntime.ts";

const ERRORS: readonly OrientedError[] = ["probiou", "kullback-leibler", "wasserstein"];
const POINTS = {
  count: 4,
  xy: Float32Array.of(4, 4, 12, 4, 4, 12, 8, 8),
  stride: Float32Array.of(8, 8, 8, 16),
};
const N = POINTS.count;
const head = (bins: number): HeadOptions => ({ classes: 2, oriented: true, bins, channels: 1 });

/** A head that is all input. */
const headsOf = (g: GraphBuilder, bins: number) => ({
  logits: g.input("logits", "B N K", [1, N, 2]),
  sides: g.input("sides", "B N S", [1, N, 2 * Math.max(1, bins)]),
  pose: g.input("pose", "B N P", [1, N, 4]),
  points: POINTS,
});

/** How far what the head decodes to is from a box for each point. */
const errorGraph = (how: OrientedError, bins: number, boxes: Float32Array): OnnxGraph =>
  buildGraph("error", (g) => {
    const kind = oriented(how);
    const decoded = decodeOriented(g, headsOf(g, bins), head(bins));
    const target = kind.rows(g, g.constant("B G F", [1, N, 5], boxes));
    const errors = kind.error(g, decoded, g.rename(target, "B N F"));
    return { loss: g.reshape(g.reduce("sum", errors, ["B", "N"]), "A", [1]) };
  });

function lossGraph(boxes: Float32Array, classes: Float32Array, bins: number): OnnxGraph {
  const G = boxes.length / 5;
  return buildGraph("loss", (g) => {
    const targets = {
      boxes: g.constant("B G F", [1, G, 5], boxes),
      classes: g.constant("B G K", [1, G, 2], classes),
      labelled: g.constant("B A K", [1, 1, 2], Float32Array.of(1, 1)),
    };
    return { loss: detectionLoss(g, headsOf(g, bins), targets, head(bins), { topK: 2 }).total };
  });
}

const feedsOf = (graph: OnnxGraph) =>
  Object.fromEntries(
    graph.inputs.map((name, i) => {
      const count = graph.values.get(name)?.shape.reduce((a, b) => a * b, 1) ?? 0;
      return [name, Float64Array.from(numbers(count, i + 3))];
    }),
  );

describe("an oriented head", () => {
  const boxes = Float32Array.of(
    ...[9, 6, 14, 5, 0.7],
    ...[10, 3, 11, 10.5, -1.5],
    ...[5, 9, 30, 4, 1.57],
    ...[8, 8, 6, 3, 0],
  );

  test.each(ERRORS.flatMap((error) => [0, 4].map((bins) => [error, bins] as const)))(
    "learns %s with %i bins by the gradient that finite differences give",
    async (how, bins) => {
      const graph = errorGraph(how, bins, boxes);
      const feeds = feedsOf(graph);
      const pulled = gradient(graph, "loss", ["sides", "pose"]);
      const exact = interpret(pulled, feeds);
      const native = await runNative(pulled, new Map(), feeds);
      for (const name of ["sides", "pose"]) {
        const all = feeds[name] ?? new Float64Array();
        const at = (i: number, x: number): number =>
          interpret(graph, { ...feeds, [name]: all.with(i, x) }).get("loss")?.data[0] ?? Number.NaN;
        const step = 1e-5;
        const expected = [...all].map((v, i) => (at(i, v + step) - at(i, v - step)) / (2 * step));
        // Differences of doubles err by about 1e-10 times the third derivative; float32 by 1e-7 a node.
        expectClose(exact.get(gradientName(name))?.data, expected, 1e-6, `${name}, exact`);
        expectClose(native[gradientName(name)], expected, 1e-4, `${name}, float32`);
      }
    },
  );

  test.each([
    ["no object", [0, 0, 0, 0, 0], [0, 0]],
    ["an object without width", [8, 8, 10, 0, 0.3], [1, 0]],
    ["an object far thinner than long", [8, 8, 900, 2, 0.8], [0, 1]],
  ])("has a finite loss and gradient for %s", async (_, box, classes) => {
    for (const bins of [0, 4]) {
      const graph = lossGraph(Float32Array.from(box), Float32Array.from(classes), bins);
      const names = ["logits", "sides", "pose"];
      const pulled = gradient(graph, "loss", names);
      for (const size of [1, 120]) {
        // ±180: sides from e⁻¹⁸⁰, which is no float32, to 180 strides.
        const feeds = feedsOf(graph);
        for (const values of Object.values(feeds)) values.forEach((v, i) => (values[i] = v * size));
        const out = await runNative(pulled, new Map(), feeds);
        for (const values of Object.values(out))
          expect([...values].every(Number.isFinite)).toBe(true);
      }
    }
  });
});

const angle = fc.double({ min: -1.57, max: 1.57, noNaN: true });

test.prop([fc.constantFrom(...ERRORS), angle, angle])(
  "the error of a square is the same at any angle",
  (how, one, other) => {
    const error = (at: number): number => {
      const { graph: g, put, doubles } = eager(() => new Float32Array());
      const kind = oriented(how);
      const square = (x: number, turned: number) => {
        const label = put(tensor("B G F", [1, 1, 5], Float32Array.of(x, 4, 9, 9, turned)));
        return g.rename(kind.rows(g, label), "B N F");
      };
      return doubles(kind.error(g, square(3, one), square(4, at)))[0] ?? Number.NaN;
    };
    expect(error(other)).toBeCloseTo(error(one), 6);
  },
);

test.prop([
  fc.array(
    fc.tuple(
      fc.double({ min: -50, max: 700, noNaN: true }),
      fc.double({ min: -50, max: 700, noNaN: true }),
      fc.double({ min: 2, max: 600, noNaN: true }),
      fc.double({ min: 2, max: 60, noNaN: true }),
      angle,
    ),
    { minLength: 1, maxLength: 5 },
  ),
])("labels and what a head gives have the corners that the angle says", async (boxes) => {
  const flat = Float32Array.from(boxes.flat());
  const graph = buildGraph("corners", (g) => {
    const rows = oriented().rows(g, g.input("boxes", "B G F", [1, boxes.length, 5]));
    return { corners: cornersOf(g, g.rename(rows, "B N F")) };
  });
  const { corners } = await runNative(graph, new Map(), { boxes: flat });
  const { corners: expected } = rotatedToCorners("tile", Float64Array.from(flat));
  // float32 of numbers below 1,000: an ulp is 6e-5, and there are a dozen nodes.
  corners?.forEach((v, i) => expect(Math.abs(v - (expected[i] ?? Number.NaN))).toBeLessThan(1e-3));
});
