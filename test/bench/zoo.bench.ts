/**
 * The shipped models side by side: parameters, multiplications and CPU time of a 640-px tile on one thread of ONNX Runtime,
 * the fastest of a few runs, and as a multiple of the first model's in the same run.
 */
import { bench, describe } from "vitest";
import { buildShipped, costOf, detector, inferenceGraph, PORTS } from "../../models/index.ts";
import { listShipped, NODE_ENGINES, openShipped } from "../../pipeline/node.ts";
import { createEngine } from "../../pipeline/index.ts";

const SIDE_PX = 640;
const ROUNDS = 7;
const size = { batch: 1, widthPx: SIDE_PX, heightPx: SIDE_PX };

describe("shipped models", () => {
  bench(
    "a 640-px tile",
    async () => {
      const engine = await createEngine("onnxruntime-node", NODE_ENGINES);
      const loaded = await Promise.all(
        (await listShipped()).map(async ({ name }) => {
          const { card, weights } = await openShipped(name);
          const session = await engine.load(buildShipped(card, weights, size), { threads: 1 });
          return { card, session, cost: costOf(inferenceGraph(detector(card.network), size)) };
        }),
      );
      const best = new Map<string, number>();
      const image = new Float32Array(3 * SIDE_PX ** 2).fill(0.5);
      // Round after round, so that what else the machine does hits all of them alike.
      for (let round = 0; round < ROUNDS; round++) {
        for (const { card, session } of loaded) {
          const begun = performance.now();
          await session.run({
            [PORTS.image]: { type: "float32", dims: [1, 3, SIDE_PX, SIDE_PX], data: image.slice() },
            [PORTS.gsdM]: { type: "float32", dims: [1, 1], data: new Float32Array(1) },
          });
          const ms = performance.now() - begun;
          best.set(card.name, Math.min(ms, best.get(card.name) ?? Infinity));
        }
      }
      const [first] = best.values();
      console.table(
        loaded.map(({ card, cost: { parameters, macs } }) => ({
          model: card.name,
          mixer: card.network.mixer,
          "parameters (M)": Number((parameters / 1e6).toFixed(2)),
          GMACs: Number((macs / 1e9).toFixed(2)),
          "ms a tile": Number(best.get(card.name)?.toFixed(0)),
          "× first": Number(((best.get(card.name) ?? 0) / (first ?? 1)).toFixed(2)),
          AP50: card.metrics["AP50"],
          "AP50-95": card.metrics["AP50-95"],
        })),
      );
      for (const { session } of loaded) await session[Symbol.asyncDispose]();
    },
    { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 },
  );
});
