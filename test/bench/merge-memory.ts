/**
 * Run by merge.bench.ts in a process of its own: prints the MB by which one merge makes the process's peak grow. The caller
 * keeps the new space small and has malloc give freed blocks back, so that neither hides what the merge holds at once.
 */
import { mergeDetections } from "../../pipeline/merge/merge.ts";
import type { MergeMethod } from "../../pipeline/settings.ts";
import { makeCrowd } from "./crowd.ts";

const [kind, merge] = process.argv.slice(2) as ["axis-aligned" | "oriented", MergeMethod];
const crowd = makeCrowd(kind);
// Compiled code is not memory of the merge.
for (let round = 0; round < 20; round++) mergeDetections(makeCrowd(kind, 500), { merge });
globalThis.gc?.();
const before = process.memoryUsage.rss();
const { count } = mergeDetections(crowd, { merge });
const peak = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ count, peakMB: (peak - before) / 2 ** 20 }));
