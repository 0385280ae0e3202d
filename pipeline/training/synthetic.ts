/** Synthetic places as training images: made when they are first needed, as any other image is decoded. */
import { boundsOf, SYNTHETIC_CLASSES, synthesise, synthesiseTile } from "../../datasets/index.ts";
import { toLabels } from "./labels.ts";
import type { SyntheticSource, TrainingRecord } from "./loader.ts";
import { randomOf } from "./random.ts";
import type { TrainingImage } from "./sample.ts";
import { TrainingError } from "./training-error.ts";

/** Side of a synthetic image: a few tiles. */
const SIZE_PX = 640;
/** Every so many images are of the plain kind that demonstrations and tests use. */
const PLAIN_EVERY = 4;
/** Ground resolutions, in metres per pixel, drawn evenly on a logarithmic scale. */
const GSD_M = [0.12, 0.7] as const;
const PLAIN_GSD_M = [0.3, 0.7] as const;

/**
 * `count` seeded images, seen as often in an epoch as real ones of their size.
 *
 * @throws {TrainingError} where a synthetic class is not among `classes`
 */
export function syntheticRecords(
  count: number,
  classes: readonly string[],
  {
    seed,
    repeat = 1,
    oriented = false,
  }: { readonly seed: number; readonly repeat?: number; readonly oriented?: boolean },
): TrainingRecord[] {
  const classIndices = SYNTHETIC_CLASSES.map((name) => classes.indexOf(name));
  const missing = SYNTHETIC_CLASSES[classIndices.indexOf(-1)];
  if (missing !== undefined) {
    throw new TrainingError(
      `syntheticRecords: classes must hold ${missing}, received ${classes.join(", ")}`,
    );
  }
  const labelled = Uint8Array.from(classes, (_, k) => Number(classIndices.includes(k)));
  return Array.from({ length: count }, (_, i): TrainingRecord => {
    const synthetic = { seed: seed * 1_000_003 + i, sizePx: SIZE_PX, classIndices };
    const labels = toLabels([], [], oriented); // known once it is made
    return {
      path: `synthetic:${synthetic.seed}`,
      labels,
      labelled,
      gsdM: undefined,
      repeat,
      synthetic,
    };
  });
}

/** Makes the image. */
export async function synthesiseRecord(
  record: TrainingRecord,
  { seed, sizePx, classIndices }: SyntheticSource,
): Promise<TrainingImage> {
  const random = randomOf(seed);
  const draw = ([from, to]: readonly [number, number]): number =>
    from * (to / from) ** random.next();
  const { path: source, labelled } = record;
  const oriented = record.labels.corners !== undefined;
  if (seed % PLAIN_EVERY === 0) {
    const gsdM = draw(PLAIN_GSD_M);
    const { scene, labels } = synthesise({ seed, width: sizePx, height: sizePx, gsdM });
    const pixels = await scene.read({ x: 0, y: 0, width: sizePx, height: sizePx });
    const indexOf = labels.objects.map(({ classIndex }) => {
      const name = labels.classes[classIndex];
      return classIndices[SYNTHETIC_CLASSES.findIndex((one) => one === name)] ?? 0;
    });
    const objects = indexOf.map((_, i) => {
      const corners = [...labels.boxes.corners.subarray(8 * i, 8 * i + 8)];
      return { corners, box: boundsOf(corners) };
    });
    return { source, pixels, labels: toLabels(objects, indexOf, oriented), labelled, gsdM };
  }
  const { pixels, objects, gsdM } = synthesiseTile({ seed, sizePx, gsdM: draw(GSD_M) });
  const indexOf = objects.map(({ classIndex }) => classIndices[classIndex] ?? 0);
  return { source, pixels, labels: toLabels(objects, indexOf, oriented), labelled, gsdM };
}
