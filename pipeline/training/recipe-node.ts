/** What a run was started with, as its checkpoint keeps it: settings, classes, and a digest of the data. */
import { createHash } from "node:crypto";
import type { DetectorNetwork } from "../../models/index.ts";
import type { TrainingRecord } from "./loader.ts";

/** What decides a run: one is resumed only with the same. */
export interface RunSettings {
  readonly tilePx: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  /** Highest learning rate. */
  readonly rate: number;
  /** @default 0.05 */
  readonly weightDecay?: number;
  /** Epochs of rising rate. @default 1 */
  readonly warmupEpochs?: number;
  /** Last epochs without mosaics, on tiles as they come in real use. @default a tenth of all */
  readonly plainEpochs?: number;
  /** Names of the classes. */
  readonly classes?: readonly string[] | undefined;
}

interface Recipe {
  readonly network: object;
  readonly run: object;
  /** Older checkpoints say nothing of these two. */
  readonly classes?: readonly string[] | undefined;
  readonly data?: string | undefined;
}

/** What must be the same for a run to be resumed, as text. */
export function recipeOf(
  network: DetectorNetwork,
  records: readonly TrainingRecord[],
  settings: RunSettings,
): string {
  const { tilePx, batchSize, epochs, seed, rate, classes } = settings;
  const { weightDecay, warmupEpochs, plainEpochs } = settings;
  const recipe: Recipe = {
    network: network.options,
    run: { tilePx, batchSize, epochs, seed, rate, weightDecay, warmupEpochs, plainEpochs },
    classes,
    data: digestOf(records),
  };
  return JSON.stringify(recipe);
}

/** In what a recipe is another than the one that was kept, a few words each. */
export function differences(kept: string, now: string): readonly string[] {
  if (kept === "") return ["a file that no run has written"];
  const [then, asked] = [JSON.parse(kept) as Recipe, JSON.parse(now) as Recipe]; // both by recipeOf
  const known = (a: unknown, b: unknown): boolean => a !== undefined && b !== undefined;
  return [
    ...changed(then.network, asked.network),
    ...changed(then.run, asked.run),
    ...(known(then.classes, asked.classes) ? changed(then, asked, ["classes"]) : []),
    ...(known(then.data, asked.data) && then.data !== asked.data ? ["other images or labels"] : []),
  ];
}

function changed(
  then: object,
  now: object,
  names: readonly string[] = [...new Set([...Object.keys(then), ...Object.keys(now)])],
): readonly string[] {
  const shown = (from: object, name: string): string =>
    JSON.stringify(Reflect.get(from, name)) ?? "none";
  return names
    .filter((name) => shown(then, name) !== shown(now, name))
    .map((name) => `${name} ${shown(now, name)} instead of ${shown(then, name)}`);
}

/** Of names, labels and repetitions in their order; folders may be moved. */
function digestOf(records: readonly TrainingRecord[]): string {
  const hash = createHash("sha256");
  for (const { path, labels, labelled, gsdM, repeat } of records) {
    const name = path.split(/[/\\]/).at(-1);
    hash.update(JSON.stringify([name, labels.classes.length, gsdM ?? null, repeat ?? 1]));
    for (const { buffer, byteOffset, byteLength } of [
      labels.xyxy,
      labels.classes,
      labels.corners ?? new Float64Array(),
      labelled,
    ])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}
