/**
 * Synthetic tiles of 640 × 640 px, by place: the fastest of a few, in milliseconds, and as a multiple of one plain pass of
 * multiply-and-add over three float planes of that size in the same run.
 */
import { bench, describe } from "vitest";
import { SYNTHETIC_PLACES, synthesiseTile } from "../../datasets/index.ts";

const SIZE_PX = 640;
const ROUNDS = 8;

function fastest(work: (round: number) => void): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    work(round);
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

describe("synthetic tiles", () => {
  bench(
    "by place",
    () => {
      const planes = new Float32Array(3 * SIZE_PX * SIZE_PX).fill(1);
      const plain = fastest(() => {
        for (let i = 0; i < planes.length; i++) planes[i] = planes[i]! * 0.9 + 1;
      });
      const rows = SYNTHETIC_PLACES.map((place) => {
        const ms = fastest((seed) => synthesiseTile({ seed, sizePx: SIZE_PX, gsdM: 0.4, place }));
        return {
          place,
          ms: Number(ms.toFixed(1)),
          "× plain pass": Number((ms / plain).toFixed(1)),
        };
      });
      console.table(rows);
    },
    { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 },
  );
});
