/**
 * Pascal VOC XML (host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf): a file an image.
 *
 * Pixels count from one and `xmax` is inside the box, so a box is `xmin − 1, ymin − 1, xmax, ymax` here. Corners of an
 * oriented box go into `<robndbox>` as DIOR-R writes them, without that shift.
 */
import type { ClassTable, LabelledImage, LabelledObject } from "./labels.ts";
import { LabelsError, boundsOf, boxLabel } from "./labels.ts";
import type { XmlElement } from "./xml.ts";
import { childrenNamed, escapeXml, parseXml, textOf } from "./xml.ts";

const CORNER_NAMES = ["left_top", "right_top", "right_bottom", "left_bottom"].flatMap((name) => [
  `x_${name}`,
  `y_${name}`,
]);

/** @param source - the file, for messages. @throws {LabelsError} naming the object that is amiss */
export function parseVoc(text: string, source: string, classes: ClassTable): LabelledImage {
  const root = parseXml(text, source);
  if (root.name !== "annotation") {
    throw new LabelsError(`${source}: must be an <annotation>, received <${root.name}>`);
  }
  const [size] = childrenNamed(root, "size");
  const file = textOf(root, "filename");
  if (size === undefined || file === undefined) {
    throw new LabelsError(`${source}: must name its file and size, received neither or one`);
  }
  return {
    file,
    id: undefined,
    width: numberOf(size, "width", source),
    height: numberOf(size, "height", source),
    gsdM: undefined,
    labelledClasses: undefined,
    objects: childrenNamed(root, "object").map((element, i) =>
      readObject(element, `${source}: object ${i + 1}`, classes),
    ),
  };
}

function readObject(element: XmlElement, where: string, classes: ClassTable): LabelledObject {
  const [upright] = childrenNamed(element, "bndbox");
  const [oriented] = childrenNamed(element, "robndbox");
  const corners = oriented && CORNER_NAMES.map((name) => numberOf(oriented, name, where));
  if (upright === undefined && corners === undefined) {
    throw new LabelsError(`${where}: must have a <bndbox>, received none`);
  }
  const box: LabelledObject["box"] =
    upright === undefined
      ? boundsOf(corners ?? [])
      : [
          numberOf(upright, "xmin", where) - 1,
          numberOf(upright, "ymin", where) - 1,
          numberOf(upright, "xmax", where),
          numberOf(upright, "ymax", where),
        ];
  const score = textOf(element, "score");
  return boxLabel(classes.indexOf(textOf(element, "name") ?? "", where), box, {
    corners,
    difficult: textOf(element, "difficult") === "1",
    ...(score !== undefined && { score: Number(score) }),
  });
}

function numberOf(element: XmlElement, name: string, where: string): number {
  const text = textOf(element, name);
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new LabelsError(`${where}: <${name}> must be a number, received ${text ?? "none"}`);
}

export function formatVoc(image: LabelledImage, classes: readonly string[]): string {
  const { file, width, height } = image;
  return [
    "<annotation>",
    `  <filename>${escapeXml(file)}</filename>`,
    `  <size><width>${width}</width><height>${height}</height><depth>3</depth></size>`,
    "  <segmented>0</segmented>",
    ...image.objects.flatMap((object) => objectLines(object, classes[object.classIndex] ?? "")),
    "</annotation>",
    "",
  ].join("\n");
}

function objectLines(object: LabelledObject, className: string): readonly string[] {
  const [x1, y1, x2, y2] = object.box;
  const corners = object.corners?.map(
    (value, i) => `<${CORNER_NAMES[i]}>${value}</${CORNER_NAMES[i]}>`,
  );
  return [
    "  <object>",
    `    <name>${escapeXml(className)}</name>`,
    `    <difficult>${object.difficult ? 1 : 0}</difficult>`,
    ...(object.score === undefined ? [] : [`    <score>${object.score}</score>`]),
    `    <bndbox><xmin>${x1 + 1}</xmin><ymin>${y1 + 1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox>`,
    ...(corners === undefined ? [] : [`    <robndbox>${corners.join("")}</robndbox>`]),
    "  </object>",
  ];
}
