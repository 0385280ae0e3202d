/** `nadir plan`: what `nadir detect` would do, and what it would cost. Writes nothing. */
import type { Command } from "commander";
import type { Scene } from "../datasets/index.ts";
import { openScene } from "../datasets/node.ts";
import { describe, type Estimate, estimate, planScene, type ScenePlan } from "../pipeline/index.ts";
import { type CliContext, endOfBatch } from "./command.ts";
import { addSettings, settingsFromFlags, settingsIn } from "./flags.ts";
import { findInputs } from "./inputs.ts";
import { gatherSettings } from "./layers.ts";
import { type OpenedModel, openModel } from "./open-model.ts";
import { bytes, counted, duration, grouped, table } from "./say.ts";
import { modelLines } from "./summary.ts";

interface PlanFlags {
  readonly model?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export function declarePlan(command: Command, { io, finish }: CliContext): void {
  command
    .argument("<scenes...>", "Files, folders, patterns or addresses.")
    .option("-m, --model <file>", "The detector, an ONNX file.")
    .option("-c, --config <file>", "Settings as YAML or JSON.")
    .option("--json", "Prints one JSON object a scene, a line each.");
  addSettings(command, settingsIn("model", "pixels", "tiles", "objects", "engine"));
  command.action(async (given: readonly string[], { model, config, json = false }: PlanFlags) => {
    const said = gatherSettings(io, settingsFromFlags(command), config);
    const { paths, notes } = await findInputs(io, given);
    for (const note of [...said.notes, ...notes]) io.stderr.write(`nadir: ${note}\n`);
    if (paths.length === 0) return finish(endOfBatch(0, 0));
    await using opened = await openModel(io, model ?? said.model, said.layers);
    for (const line of modelLines(opened)) io.stderr.write(`${line}\n`);
    let failed = 0;
    for (const path of paths) {
      try {
        await using scene = await openScene(path);
        const planned = await planOne(scene, opened);
        io.stdout.write(json ? `${inJson(scene, planned)}\n` : `${inWords(scene, planned)}\n`);
      } catch (error) {
        failed++;
        io.stderr.write(`nadir: ${describe(error).sentence}\n`);
      }
    }
    finish(endOfBatch(paths.length, failed));
  });
}

interface Planned {
  readonly plan: ScenePlan;
  readonly cost: Estimate;
  readonly memoryBytes: number;
}

/** Decoded blocks that a scene keeps at most: the default of `openScene`. */
const CACHE_BYTES = 256 * 2 ** 20;

async function planOne(scene: Scene, { detector, resolved }: OpenedModel): Promise<Planned> {
  const plan = await planScene(scene, detector.card, resolved.settings);
  const cost = await estimate(scene, detector, plan);
  const sceneBytes = scene.width * scene.height * scene.bands.length * sampleBytes(scene);
  const memoryBytes =
    process.memoryUsage.rss() + cost.inHandBytes + Math.min(CACHE_BYTES, sceneBytes);
  return { plan, cost, memoryBytes };
}

const sampleBytes = ({ sampleType }: Scene): number => Number(/\d+$/.exec(sampleType)?.[0]) / 8;

function inJson(scene: Scene, { plan, cost, memoryBytes }: Planned): string {
  const { tiles, outside, resampling, preprocessing, batch, grid, warnings } = plan;
  return JSON.stringify({
    source: scene.source,
    ...cost,
    outside,
    tilePx: tiles.sizePx,
    overlapPx: tiles.overlapPx,
    grid,
    batch,
    resampling: resampling.message,
    bands: preprocessing.bands.text,
    stretch: preprocessing.stretch.text,
    memoryBytes,
    warnings,
  });
}

function inWords(scene: Scene, { plan, cost, memoryBytes }: Planned): string {
  const { tiles, outside, resampling, preprocessing, batch, grid, warnings } = plan;
  const { width, height } = tiles.sizePx;
  const without = cost.withoutData;
  const skipped = [
    ...(outside > 0 ? [`${grouped(outside)} outside the area`] : []),
    ...(without === undefined || without === 0 ? [] : [`${grouped(without)} without data`]),
  ];
  const further = plan.looks.map(({ scale }) => scale).join(", ");
  const count =
    counted(cost.tiles + outside, "tile") +
    (cost.furtherTiles > 0 ? `, and ${grouped(cost.furtherTiles)} at scale ${further}` : "");
  const megapixels = ((cost.tiles * width * height) / 1e6).toFixed(1);
  const time =
    cost.totalMs === undefined || cost.perTileMs === undefined
      ? "unknown: no tile that was tried holds data"
      : `about ${duration(cost.totalMs)} (${duration(cost.perTileMs)} a tile)`;
  const rows = [
    ["tiles", skipped.length > 0 ? `${count}, of these ${skipped.join(", ")}` : count],
    ["size", `${width}×${height} px, overlap ${tiles.overlapPx}, batch ${batch}`],
    [
      "pixels",
      `${megapixels} megapixels for a grid of ${grouped(grid.width)}×${grouped(grid.height)}`,
    ],
    ["resolution", resampling.message],
    ["bands", preprocessing.bands.text],
    ["stretch", preprocessing.stretch.text],
    ["time", time],
    ["memory", `about ${bytes(memoryBytes)}`],
    ...warnings.map((warning) => ["note", warning]),
  ];
  return `${scene.source}\n${table(rows.map(([name = "", value = ""]) => [`  ${name}`, value]))}`;
}
