/** A process that detects in one scene, slowly: to be killed. `killable.ts <scene> <folder>` */
import { argv, exit } from "node:process";
import { runBatch } from "../../../pipeline/node.ts";
import { resolveSettings } from "../../../pipeline/settings/resolve.ts";
import { brightSpots } from "../bright-spots.ts";

const [, , scene = "", outDir = ""] = argv;
const detector = brightSpots({ sizePx: 64, delayMs: () => 4 });
const { settings } = resolveSettings({
  option: { tilePx: 64, overlapPx: 48, batch: 2, formats: ["geojson", "csv", "parquet"] },
});
const run = runBatch([scene], { detector, engine: "plain loops", settings, outDir });
let next = await run.next();
while (next.done !== true) next = await run.next();
exit(next.value.completed === 1 ? 0 : 1);
