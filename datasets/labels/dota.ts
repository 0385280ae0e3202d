/**
 * DOTA v1 text (captain-whu.github.io/DOTA/dataset.html): a file an image, `imagesource:` and `gsd:` lines, then
 * `x1 y1 x2 y2 x3 y3 x4 y4 class difficult` a line.
 *
 * Names hold no blanks, so the writer puts hyphens. A detection's score stands behind `difficult`, where the
 * development kit does not look.
 */
import type { ClassTable, LabelledImage, LabelledObject } from "./labels.ts";
import { LabelsError, cornersLabel, cornersOf } from "./labels.ts";

/** What a DOTA file does not say of its image. */
export type ImageFacts = Pick<LabelledImage, "file" | "width" | "height" | "fault">;

/** @param source - the file, for messages. @throws {LabelsError} naming the line that is amiss */
export function parseDota(
  text: string,
  source: string,
  image: ImageFacts,
  classes: ClassTable,
): LabelledImage {
  let gsdM: number | undefined;
  const objects: LabelledObject[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    const header = /^\s*(imagesource|gsd|acquisition dates)\s*:\s*(.*)$/i.exec(line);
    if (header?.[1]?.toLowerCase() === "gsd") gsdM = readGsd(header[2] ?? "");
    if (header !== null || line.trim() === "") return;
    objects.push(readLine(line.trim().split(/\s+/), `${source}: line ${i + 1}`, classes));
  });
  return { ...image, id: undefined, gsdM, labelledClasses: undefined, objects };
}

function readLine(fields: readonly string[], where: string, classes: ClassTable): LabelledObject {
  const corners = fields.slice(0, 8).map(Number);
  const [name, difficult = "0", score] = fields.slice(8);
  if (name === undefined || !corners.every(Number.isFinite)) {
    throw new LabelsError(
      `${where}: must be eight coordinates, a class and difficult, received ${JSON.stringify(fields.join(" "))}`,
    );
  }
  return cornersLabel(classes.indexOf(name, where), corners, {
    difficult: difficult !== "0",
    ...(score !== undefined && { score: Number(score) }),
  });
}

/** `null`, nothing and zero mean that it is not known. */
function readGsd(text: string): number | undefined {
  const value = Number(text);
  return value > 0 ? value : undefined;
}

export function formatDota(image: LabelledImage, classes: readonly string[]): string {
  const lines = image.objects.map((object) => dotaLine(object, classes[object.classIndex] ?? ""));
  return [...dotaHeader(image.gsdM), ...lines].map((line) => `${line}\n`).join("");
}

export function dotaHeader(gsdM: number | undefined): readonly string[] {
  return ["imagesource:unknown", `gsd:${gsdM ?? "null"}`];
}

export function dotaLine(object: LabelledObject, className: string): string {
  return [
    ...cornersOf(object),
    className.replaceAll(/\s+/g, "-"),
    object.difficult ? 1 : 0,
    ...(object.score === undefined ? [] : [object.score]),
  ].join(" ");
}
