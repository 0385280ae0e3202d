/**
 * Every operator as a whole mixer (C = 192, 3 heads) in ONNX Runtime on one thread, over 196 … 16,384 tokens: processor
 * time and memory, and how many times faster than softmax attention in the best form that ONNX Runtime offers at that
 * size (`×`; plain nodes, opset-23 `Attention`, `com.microsoft.MultiHeadAttention`).
 *
 * `on a map`: the network has maps anyway, and the mixer is nothing but a chain of convolutions. `weights as inputs`: the
 * same graph, but with weights that ONNX Runtime does not know in advance, so that it cannot keep the chain in its blocked
 * layout; what a depthwise convolution costs outside of a chain.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bench, describe } from "vitest";
import { SOFTMAX, SUBJECTS } from "./attention-operators.ts";

/** Sides of the grids of tokens. */
const SIDES = [14, 32, 64, 128] as const;

interface Cost {
  readonly ms: number;
  readonly peakMB: number;
}

const costs = new Map<string, Cost>();
const costOf = (name: string, side: number): Cost =>
  costs.get(`${name} ${side}`) ?? { ms: Number.NaN, peakMB: Number.NaN };

describe("attention operators", () => {
  for (const side of SIDES) {
    bench(
      `${side * side} tokens`,
      () => {
        for (const name of SUBJECTS) {
          const key = `${name} ${side}`;
          if (costs.has(key)) continue;
          costs.set(key, measure(name, side));
          console.log(`${side * side} tokens, ${name}: ${costOf(name, side).ms.toFixed(1)} ms`);
        }
        if (side === SIDES.at(-1) && !printed) printTable();
      },
      { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 },
    );
  }
});

function measure(name: string, side: number): Cost {
  const script = fileURLToPath(new URL("attention-once.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", script, name, String(side)],
    { encoding: "utf8" },
  );
  const last = stdout.trim().split("\n").at(-1) ?? "";
  if (!last.startsWith("{")) throw new Error(`${name}: must print its cost, received ${stderr}`);
  return JSON.parse(last) as Cost;
}

/** The form of softmax attention that is fastest at a size. */
const best = (side: number): string =>
  SOFTMAX.reduce((a, b) => (costOf(b, side).ms < costOf(a, side).ms ? b : a));

/** The last bench may be called more than once. */
let printed = false;

function printTable(): void {
  printed = true;
  const rows = SUBJECTS.map((name) => {
    const cells = SIDES.flatMap((side) => {
      const { ms, peakMB } = costOf(name, side);
      const ratio = costOf(best(side), side).ms / ms;
      const cell = `${ms.toFixed(ms < 10 ? 1 : 0)} ms  ${ratio.toFixed(1)}×  ${Math.round(peakMB)} MB`;
      return [[`${side * side} tokens`, cell] as const];
    });
    return [name, Object.fromEntries(cells)] as const;
  });
  console.table(Object.fromEntries(rows));
  for (const side of SIDES) console.log(`${side * side} tokens: best softmax is ${best(side)}`);
}
