/**
 * Merging 33,337 crowded boxes into about 4,000: median of the runs, and memory beside the crowd itself. The peer's
 * figures are those of its change log (SAHI 0.12, Intel i7-13850HX), which measures upright boxes only.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bench, describe } from "vitest";
import { mergeDetections } from "../../pipeline/index.ts";
import { CROWD, makeCrowd } from "./crowd.ts";

const KINDS = ["axis-aligned", "oriented"] as const;
const METHODS = ["nms", "nmm", "soft-nms", "wbf"] as const;
type Kind = (typeof KINDS)[number];
type Method = (typeof METHODS)[number];

const PEER: Partial<Record<Method, string>> = { nms: "135 ms, 4 MB", nmm: "180 ms" };

const times = new Map<string, number[]>();

describe(`merging ${CROWD} crowded boxes`, () => {
  for (const kind of KINDS) {
    const crowd = makeCrowd(kind);
    for (const merge of METHODS) {
      const runs: number[] = [];
      times.set(`${kind} ${merge}`, runs);
      bench(
        `${merge}, ${kind}`,
        () => {
          const start = performance.now();
          mergeDetections(crowd, { merge });
          runs.push(performance.now() - start);
        },
        {
          iterations: 10,
          time: 0,
          warmupIterations: 2,
          warmupTime: 0,
          // Hooks such as afterAll do not run in bench mode.
          teardown: (_, mode) => {
            if (mode === "run" && kind === KINDS.at(-1) && merge === METHODS.at(-1)) printTable();
          },
        },
      );
    }
  }
});

function printTable(): void {
  const rows = KINDS.flatMap((kind) =>
    METHODS.map((merge) => {
      const { count, peakMB } = measureMemory(kind, merge);
      const peer = kind === "axis-aligned" ? PEER[merge] : undefined;
      return {
        boxes: kind,
        method: merge,
        left: count,
        "median ms": Math.round(median(times.get(`${kind} ${merge}`) ?? [])),
        "peak MB": Math.ceil(peakMB),
        SAHI: peer ?? "–",
      };
    }),
  );
  console.table(rows);
}

function measureMemory(kind: Kind, merge: Method): { count: number; peakMB: number } {
  const script = fileURLToPath(new URL("merge-memory.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--expose-gc", "--max-semi-space-size=1", "--import", "tsx", script, kind, merge],
    {
      encoding: "utf8",
      env: { ...process.env, MALLOC_MMAP_THRESHOLD_: "16384", MALLOC_TRIM_THRESHOLD_: "0" },
    },
  );
  if (!stdout.startsWith("{")) throw new Error(`merge-memory: must print JSON, received ${stderr}`);
  return JSON.parse(stdout) as { count: number; peakMB: number };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
