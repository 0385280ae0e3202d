/** A detector out of the file that a command line names, and the settings that follow from it. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { ModelError } from "../models/index.ts";
import {
  createEngine,
  describe,
  type Detector,
  loadDetector,
  type ResolvedSettings,
  resolveSettings,
  type SettingLayers,
  SettingsError,
  settingsOfModel,
} from "../pipeline/index.ts";
import { buildShippedModel, listShipped, NODE_ENGINES } from "../pipeline/node.ts";
import { type Io, locate } from "./io.ts";

export interface OpenedModel extends AsyncDisposable {
  /** The last part of the path. */
  readonly name: string;
  readonly detector: Detector;
  readonly engine: string;
  readonly resolved: ResolvedSettings;
}

/**
 * Loads the model with what the layers say of it, then decides all settings with what the model says.
 *
 * @param path  a file or a shipped model's name; the default one of these where it is undefined
 * @throws {SettingsError} where the layers do not fit
 * @throws {ModelError} where the file cannot be read or is no detector
 * @throws {DeviceError} where engine or device is missing
 */
export async function openModel(
  io: Pick<Io, "cwd">,
  path: string | undefined,
  layers: SettingLayers,
): Promise<OpenedModel> {
  const said = resolveSettings(layers); // a mistyped setting is said before a model is loaded
  const { settings } = said;
  const { head, classes, threads, device, gsdM } = settings;
  const engine = await createEngine(checkedEngine(settings.engine), NODE_ENGINES);
  const cards = await listShipped();
  const name = path ?? cards.find(({ isDefault }) => isDefault)?.name;
  if (name === undefined) {
    throw new SettingsError(
      "model: a detector must be named, by --model, NADIR_MODEL or model in the config file",
    );
  }
  const bytes = cards.some((card) => card.name === name)
    ? await buildShippedModel(name, sizeAsked(said))
    : await readModelFile(locate(io, name));
  const detector = await loadDetector(bytes, engine, {
    head,
    classes,
    threads,
    device,
    gsdM: typeof gsdM === "number" ? gsdM : undefined,
    batch: settings.batch,
  });
  return {
    name: basename(name),
    detector,
    engine: engine.name,
    resolved: resolveSettings({ ...layers, model: settingsOfModel(detector.card) }),
    [Symbol.asyncDispose]: () => detector[Symbol.asyncDispose](),
  };
}

function checkedEngine(name: string | undefined): string | undefined {
  const names = Object.keys(NODE_ENGINES);
  if (name === undefined || names.includes(name)) return name;
  throw new SettingsError(
    `settings: engine must be one of ${names.join(", ")}, received "${name}"`,
  );
}

/** Batch, and side of the tiles where somebody asked for one. */
const sizeAsked = ({ settings: { tilePx, batch }, provenance }: ResolvedSettings) =>
  provenance.tilePx === "default" ? { batch } : { batch, tilePx };

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ModelError(`model: ${describe(cause).sentence}`, { cause });
  }
}
