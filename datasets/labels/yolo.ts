/**
 * YOLO and YOLO-OBB text (docs.ultralytics.com/datasets): a file an image, a class number and fractions of the image's
 * width and height a line, names in `data.yaml`.
 *
 *     class cx cy width height              yolo
 *     class x1 y1 x2 y2 x3 y3 x4 y4         yolo-obb
 *     class x1 y1 x2 y2 x3 y3 …             yolo, outlines of any number of points
 *
 * A detection's score stands at the end of its line.
 */
import type { ImageFacts } from "./dota.ts";
import type { LabelledImage, LabelledObject } from "./labels.ts";
import { LabelsError, boundsOf, boxLabel, cornersLabel, cornersOf } from "./labels.ts";

export type YoloKind = "yolo" | "yolo-obb";

/** @param source - the file, for messages. @throws {LabelsError} naming the line that is amiss */
export function parseYolo(
  text: string,
  source: string,
  image: ImageFacts,
  kind: YoloKind,
): LabelledImage {
  const objects = text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === "") return [];
    const where = `${source}: line ${i + 1}`;
    const numbers = line.trim().split(/\s+/).map(Number);
    if (!numbers.every(Number.isFinite)) {
      throw new LabelsError(`${where}: must be numbers, received ${JSON.stringify(line)}`);
    }
    return [readLine(numbers, where, image, kind)];
  });
  return { ...image, id: undefined, gsdM: undefined, labelledClasses: undefined, objects };
}

function readLine(
  [classIndex = -1, ...numbers]: readonly number[],
  where: string,
  { width, height }: ImageFacts,
  kind: YoloKind,
): LabelledObject {
  const pixels = (values: readonly number[]): readonly number[] =>
    values.map((value, i) => value * (i % 2 === 0 ? width : height));
  // An odd count ends in a score.
  const hasScore = numbers.length % 2 === 1;
  const score = hasScore ? numbers.at(-1) : undefined;
  const places = pixels(hasScore ? numbers.slice(0, -1) : numbers);
  if (kind === "yolo-obb" && places.length === 8) {
    return cornersLabel(classIndex, places, { score });
  }
  if (kind === "yolo" && places.length === 4) {
    const [cx = 0, cy = 0, w = 0, h = 0] = places;
    return boxLabel(classIndex, [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], { score });
  }
  if (kind === "yolo" && places.length >= 6) {
    return boxLabel(classIndex, boundsOf(places), { polygon: [places], score });
  }
  const wanted = kind === "yolo" ? "a box of four or an outline" : "four corners";
  throw new LabelsError(
    `${where}: must be a class and ${wanted}, received ${numbers.length + 1} numbers`,
  );
}

export function formatYolo(image: LabelledImage, kind: YoloKind): string {
  return image.objects.map((object) => `${yoloLine(object, image, kind)}\n`).join("");
}

export function yoloLine(
  object: LabelledObject,
  { width, height }: Pick<ImageFacts, "width" | "height">,
  kind: YoloKind,
): string {
  const [x1, y1, x2, y2] = object.box;
  const [ring] = object.polygon ?? [];
  const outline = kind === "yolo-obb" ? cornersOf(object) : ring;
  const places = outline ?? [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
  const fractions = places.map((value, i) => decimal(value / (i % 2 === 0 ? width : height)));
  return [
    object.classIndex,
    ...fractions,
    ...(object.score === undefined ? [] : [decimal(object.score)]),
  ].join(" ");
}

/** Ten decimals: a millionth of a pixel in an image of ten thousand. */
function decimal(value: number): string {
  return String(Number(value.toFixed(10)));
}
