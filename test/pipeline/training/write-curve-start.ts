/** `tsx write-curve-start.ts FOLDER`: writes what `test/fixtures/training/curve.py` starts from: weights, batches and settings. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  detector,
  fromFloat32,
  initialWeights,
  lossGraph,
  writeSafetensors,
} from "../../../models/index.ts";
import { CURVE, curveBatches } from "./curve.ts";

const [folder = "."] = process.argv.slice(2);
const { batchSize, classes, rows, seed, tilePx } = CURVE;
const network = detector({ family: "yolo-caa", size: "pico", classes });
const size = { batch: batchSize, widthPx: tilePx, heightPx: tilePx, rows };
const graph = lossGraph(network, size);

const stored = [...initialWeights(graph, { seed })].map(
  ([name, data]) => [name, graph.values.get(name)?.shape ?? [], data] as const,
);
const batches = curveBatches().flatMap((batch, i) => [
  [`${i}.image`, [batchSize, 3, tilePx, tilePx], batch.images] as const,
  [`${i}.gsd_m`, [batchSize, 1], batch.gsdM] as const,
  [`${i}.boxes`, [batchSize, rows, 4], batch.boxes] as const,
  [`${i}.classes`, [batchSize, rows, classes], batch.classes] as const,
  [`${i}.labelled`, [batchSize, 1, classes], batch.labelled] as const,
]);
mkdirSync(folder, { recursive: true });
for (const [file, tensors] of [
  ["start.safetensors", stored],
  ["batches.safetensors", batches],
] as const) {
  writeFileSync(
    join(folder, file),
    writeSafetensors(
      new Map(tensors.map(([name, shape, data]) => [name, fromFloat32(shape, data)])),
    ),
  );
}
writeFileSync(join(folder, "settings.json"), JSON.stringify(CURVE));
