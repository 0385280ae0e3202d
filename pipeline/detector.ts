/** A network that finds objects: its bytes loaded, its input understood, its head recognised. */
import { ShapeError } from "../attention/index.ts";
import type { Detections } from "../datasets/index.ts";
import {
  type CardOverrides,
  type Decoded,
  describeModel,
  type Facts,
  type HeadDecision,
  type ModelCard,
  ModelError,
  type ModelSummary,
  readMetadata,
  recognise,
  summarise,
} from "../models/index.ts";
import { findImageInput, type ImageInput, resolveSize } from "./detector/image-input.ts";
import { feed } from "./detector/feed.ts";
import { batchAgrees, probePicture } from "./detector/probe.ts";
import type { Engine, LoadOptions, Session } from "./engines/engine.ts";
import { sha256 } from "./sha256.ts";

/** What a caller knows better than the file. */
export interface DetectorOptions extends CardOverrides, LoadOptions {
  /** Name of the head, as `HEAD_NAMES` lists them. @default recognised */
  readonly head?: string | undefined;
  /** Fixes the side of the input where the file leaves it open, in pixels; rounded up to a multiple of 32. */
  readonly sizePx?: number | undefined;
  /** Most tiles in one run; 1 saves the question whether the model treats the tiles of a batch alike. */
  readonly batch?: number | undefined;
}

export interface DetectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Detections with a lower score are left out. @default 0.25 */
  readonly scoreAtLeast?: number | undefined;
  /** Pixels of `inputs`, where the card leaves them open. @default what the model was tried with */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Metres per pixel of `inputs`, for networks that are conditioned on it. @default unknown */
  readonly gsdM?: number | undefined;
}

export interface Detected {
  /** One per tile, in pixels of the network's input. */
  readonly perTile: readonly Detections<"tile">[];
  /** Highest score of each tile, also below the threshold; 0 where nothing was scored. */
  readonly bestScores: Float32Array;
}

export interface Detector extends AsyncDisposable {
  readonly card: ModelCard;
  readonly summary: ModelSummary;
  /** The head, and why it was chosen. */
  readonly decision: HeadDecision;
  /** What a user should know of this model: outputs ignored, batches refused, names guessed. */
  readonly notices: readonly string[];
  /** Memory for `inputs`, which `detect` then takes: it must not be read afterwards. Absent where nothing would be saved. */
  readonly allocate?: (length: number) => Float32Array;
  /**
   * Finds objects in `batch` tiles: `[batch, channels, height, width]`, normalised as the card says. More tiles than
   * the model takes at once are run in turns.
   *
   * @throws {ShapeError} where `inputs` is not that long.
   */
  readonly detect: (
    inputs: Float32Array,
    batch: number,
    options?: DetectOptions,
  ) => Promise<Detected>;
}

/**
 * Loads a detector and tries it on a seeded picture, which shows the shapes and ranges of its outputs.
 *
 * @throws {ModelError} where the bytes are no model, take no image, or end in no known head.
 * @throws {DeviceError} where the engine's device is missing.
 */
export async function loadDetector(
  source: Uint8Array,
  engine: Engine,
  options: DetectorOptions = {},
): Promise<Detector> {
  const summary = summarise(source);
  refuse(summary);
  const session = await engine.load(source, { threads: options.threads, device: options.device });
  try {
    return await understand(source, summary, session, options);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** Says no to what could only fail later, with a worse sentence. */
function refuse({ externalFiles, foreignOperators }: ModelSummary): void {
  if (externalFiles.length > 0) {
    throw new ModelError(
      `loadDetector: the weights must be inside the .onnx file, received a model whose weights lie in ${externalFiles.join(", ")}`,
    );
  }
  if (foreignOperators.length > 0) {
    throw new ModelError(
      `loadDetector: operators must be standard ONNX, received ${foreignOperators.join(", ")}, ` +
        "which needs a library of its own: export the model without built-in suppression",
    );
  }
}

async function understand(
  source: Uint8Array,
  summary: ModelSummary,
  session: Session,
  options: DetectorOptions,
): Promise<Detector> {
  const metadata = readMetadata(summary.metadata);
  const found = findImageInput(session.inputs, metadata);
  const { image, from } = resolveSize(found, metadata, options.sizePx);
  const picture = probePicture(image, image.batch ?? 1);
  const probe = await session.run(feed(session.inputs, image, picture, image.batch ?? 1));
  const classes = options.classes ?? metadata.classes;
  const facts: Facts = {
    summary,
    metadata,
    classes,
    width: image.width,
    height: image.height,
    probe,
  };
  const decision = recognise(facts, options.head);
  const { batch, notice } = await chooseBatch(session, image, options.batch);
  const { rank: _, ...input } = options.sizePx === undefined ? found : image;
  const card = describeModel(
    {
      sha256: await sha256(source),
      metadata,
      decision,
      input: { ...input, batch },
      provenance: {
        size: input.width === undefined ? "shape: open" : from,
        batch: image.batch === undefined ? "probe" : "shape",
      },
    },
    options,
  );
  const notices = [...decision.notices, ...notice, ...guessedNames(card)];
  return {
    card,
    summary,
    decision,
    notices,
    ...(session.allocate && { allocate: session.allocate }),
    detect: (inputs, count, how) => detect(session, image, card, decision, inputs, count, how),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function guessedNames({ classes, provenance }: ModelCard): readonly string[] {
  return provenance["classes"] === "family default"
    ? [
        `The file names no classes; taken for COCO's ${classes.length}. Give their names if they are others.`,
      ]
    : [];
}

/** How many tiles may share a run. */
async function chooseBatch(
  session: Session,
  image: ImageInput,
  asked: number | undefined,
): Promise<{ readonly batch: number | undefined; readonly notice: readonly string[] }> {
  if (image.batch !== undefined) return { batch: image.batch, notice: [] };
  if (asked === 1) return { batch: 1, notice: [] };
  const agrees = await batchAgrees(session, image);
  if (agrees === true) return { batch: undefined, notice: [] };
  return { batch: 1, notice: [`Tiles are run one at a time: ${agrees}`] };
}

async function detect(
  session: Session,
  tried: ImageInput,
  { input }: ModelCard,
  { decode }: HeadDecision,
  inputs: Float32Array,
  count: number,
  { signal, scoreAtLeast = 0.25, ...asked }: DetectOptions = {},
): Promise<Detected> {
  const width = input.width ?? asked.width ?? tried.width;
  const height = input.height ?? asked.height ?? tried.height;
  const size = input.channels * height * width;
  if (inputs.length !== count * size) {
    throw new ShapeError(
      `detect: inputs must hold [${count} ${input.channels} ${height} ${width}] values, received ${inputs.length}`,
    );
  }
  const image = { ...tried, width, height };
  const most = input.batch ?? count;
  const runs: Decoded[] = [];
  for (let from = 0; from < count; from += most) {
    const here = Math.min(most, count - from);
    const tiles = inputs.subarray(from * size, (from + here) * size);
    // A fixed batch is filled up; what the network says of the filling is dropped.
    const batch = tried.batch ?? here;
    const outputs = await session.run(feed(session.inputs, image, tiles, batch, asked.gsdM), {
      signal,
    });
    const decoded = decode(outputs, { width, height, batch, scoreAtLeast });
    runs.push({
      perTile: decoded.perTile.slice(0, here),
      bestScores: decoded.bestScores.subarray(0, here),
    });
  }
  return {
    perTile: runs.flatMap(({ perTile }) => perTile),
    bestScores: Float32Array.from(runs.flatMap(({ bestScores }) => [...bestScores])),
  };
}
