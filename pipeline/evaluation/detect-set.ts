/** A detector run over a labelled set as in real use: every image tiled, detected and merged. */
import type {
  Detections,
  LabelledDataset,
  LabelledImage,
  LabelledObject,
  Scene,
} from "../../datasets/index.ts";
import {
  coordinates,
  cornersLabel,
  LabelsError,
  tileLabels,
  toCorners,
} from "../../datasets/index.ts";
import { detect } from "../detect.ts";
import type { Detector } from "../detector.ts";
import { describe, type ErrorCode } from "../errors.ts";
import type { TileOutcome } from "../infer.ts";
import type { Journal } from "../jobs/journal.ts";
import { mergeDetections } from "../merge/merge.ts";
import type { DetectSettings } from "../settings.ts";
import type { WorkingGrid } from "../tiles.ts";
import { wanted, type Wanted } from "../wanted.ts";

export interface DetectSetOptions {
  /** Opens an image by its name in the set. */
  readonly open: (file: string) => Promise<Scene>;
  readonly signal?: AbortSignal | undefined;
  readonly onImage?: ((done: number, of: number, file: string) => void) | undefined;
}

/** What was found in the images that could be read, with the labels of these. */
export interface SetDetections {
  /** Merged, in pixels of the images. */
  readonly scenes: Scored;
  /** Tile by tile, each merged by itself; objects that a tile's edge cuts follow the rules of `cropLabels`. */
  readonly tiles: Scored;
  /** One sentence for each image that could not be used. */
  readonly failures: readonly string[];
}

export interface Scored {
  /** With the truth's class table. */
  readonly truth: LabelledDataset;
  /** With the detector's class table. */
  readonly found: LabelledDataset;
}

/** What says something of an image, and not of the model, the settings or us. */
const OF_ONE_IMAGE: readonly ErrorCode[] = ["ERR_SCENE", "ERR_LABELS", "ERR_RESOLUTION"];

/** Detects in every image. An image that cannot be read is left out and named in `failures`. */
export async function detectSet(
  dataset: LabelledDataset,
  detector: Detector,
  settings: DetectSettings,
  { open, signal, onImage }: DetectSetOptions,
): Promise<SetDetections> {
  const seen: ImageResult[] = [];
  const failures: string[] = [];
  for (const [i, image] of dataset.images.entries()) {
    signal?.throwIfAborted();
    try {
      seen.push(await detectImage(image, detector, settings, open, signal));
    } catch (error) {
      signal?.throwIfAborted();
      const { code, sentence } = describe(error);
      if (!OF_ONE_IMAGE.includes(code)) throw error;
      failures.push(sentence.includes(image.file) ? sentence : `image ${image.file}: ${sentence}`);
    }
    onImage?.(i + 1, dataset.images.length, image.file);
  }
  const { classes } = detector.card;
  const truth = (images: readonly LabelledImage[]): LabelledDataset => ({ ...dataset, images });
  return {
    scenes: {
      truth: truth(seen.map(({ image }) => image)),
      found: { classes, images: seen.map(({ found }) => found) },
    },
    tiles: {
      truth: truth(seen.flatMap(({ tiles }) => tiles.map((tile) => tile.truth))),
      found: { classes, images: seen.flatMap(({ tiles }) => tiles.map((tile) => tile.found)) },
    },
    failures,
  };
}

interface ImageResult {
  readonly image: LabelledImage;
  readonly found: LabelledImage;
  readonly tiles: readonly { readonly truth: LabelledImage; readonly found: LabelledImage }[];
}

async function detectImage(
  image: LabelledImage,
  detector: Detector,
  settings: DetectSettings,
  open: DetectSetOptions["open"],
  signal: AbortSignal | undefined,
): Promise<ImageResult> {
  await using scene = await open(image.file);
  if (scene.width !== image.width || scene.height !== image.height) {
    throw new LabelsError(
      `must be ${image.width} × ${image.height} px, as its labels say, received ${scene.width} × ${scene.height}`,
    );
  }
  const outcomes: TileOutcome[] = [];
  let grid: WorkingGrid | undefined;
  const run = detect(
    scene,
    detector,
    { ...settings, sceneGsdM: settings.sceneGsdM ?? image.gsdM },
    {
      signal,
      journal: outcomesInto(outcomes),
      onProgress: ({ plan }) => (grid = plan.tiles.grid),
    },
  );
  const objects: LabelledObject[] = [];
  for await (const { corners, oriented, classIndex, score } of run) {
    const label = cornersLabel(classIndex, [...corners], { score });
    objects.push(oriented ? label : { ...label, corners: undefined });
  }
  const want = wanted(settings, detector.card.classes);
  const tiles = grid === undefined ? [] : perTile(image, outcomes, grid, { settings, want });
  return { image, found: { ...image, objects }, tiles };
}

/** A journal that only listens. */
const outcomesInto = (outcomes: TileOutcome[]): Journal => ({
  count: 0,
  outcomes: async function* () {},
  append: async (fresh) => void outcomes.push(...fresh),
  isEmpty: () => outcomes.length === 0,
  [Symbol.asyncDispose]: async () => {},
});

/** Each tile as an image of its own, in pixels of the scene, its detections merged among themselves. */
function perTile(
  image: LabelledImage,
  outcomes: readonly TileOutcome[],
  { scaleX, scaleY }: WorkingGrid,
  { settings, want }: { readonly settings: DetectSettings; readonly want: Wanted },
): ImageResult["tiles"] {
  const options = { ...settings, scoreAtLeast: want.scoreAtLeast };
  return outcomes.map(({ tile: { window }, detections }) => {
    const part = {
      x: window.x / scaleX,
      y: window.y / scaleY,
      width: window.width / scaleX,
      height: window.height / scaleY,
    };
    const [truth] = tileLabels(image, [part]) as [LabelledImage]; // one for each window
    const chosen = want.byClass(want.byScore(detections));
    const merged = mergeDetections(scaled(chosen, scaleX, scaleY), options);
    return { truth, found: { ...truth, objects: toLabels(merged) } };
  });
}

/** Detections of a tile in pixels of the scene, counted from the tile's first one. */
function scaled(
  { boxes, ...rest }: Detections<"tile">,
  scaleX: number,
  scaleY: number,
): Detections<"scene"> {
  const numbers = coordinates(boxes).map((v, k) => v / (k % 2 === 0 ? scaleX : scaleY));
  return {
    ...rest,
    boxes:
      boxes.kind === "oriented"
        ? { kind: boxes.kind, frame: "scene", corners: numbers }
        : { kind: boxes.kind, frame: "scene", xyxy: numbers },
  };
}

function toLabels({
  boxes,
  scores,
  classes,
  count,
}: Detections<"scene">): readonly LabelledObject[] {
  const { corners } = toCorners(boxes);
  return Array.from({ length: count }, (_, row) => {
    const own = [...corners.subarray(8 * row, 8 * row + 8)];
    const label = cornersLabel(classes[row] ?? 0, own, { score: scores[row] });
    return boxes.kind === "oriented" ? label : { ...label, corners: undefined };
  });
}
