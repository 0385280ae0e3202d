/** What the page shows, as a file. The encoders are the ones of the command line. */
import type { Scene } from "../../../datasets/index.ts";
import {
  availableCrs,
  type Detector,
  Drawing,
  encode,
  FORMATS,
  type FoundObject,
  memorySpool,
  type OutputContext,
  pictureSize,
  stem,
} from "../../../pipeline/index.ts";
import type { Exported, ExportFormat, Layers } from "../messages.ts";
import { pictureOf } from "./scene.ts";

/** Long side of an exported picture. */
const PICTURE_PX = 4096;
/** Objects of one SVG: its parser holds them all. */
const OBJECTS_IN_SVG = 2000;

/** @throws {OutputError} where the format cannot express the scene */
export async function exportObjects(
  format: ExportFormat,
  objects: readonly FoundObject[],
  scene: Scene,
  { card }: Detector,
): Promise<Exported> {
  const { extension, mediaType, encoder } = FORMATS[format];
  const name = `${stem(scene.source)}${extension}`;
  const create = await encoder?.();
  if (create === undefined) {
    return { type: "exported", format, name, content: await layers(objects, scene) };
  }
  const context: OutputContext = {
    scene,
    classes: card.classes,
    model: { name: card.name, sha256: card.sha256 },
    crs: availableCrs(scene, "wgs84"),
  };
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of encode(objects, create(context, memorySpool()))) {
    parts.push(part.slice());
  }
  return { type: "exported", format, name, content: new Blob(parts, { type: mediaType }) };
}

async function layers(objects: readonly FoundObject[], scene: Scene): Promise<Layers> {
  const size = pictureSize(scene, PICTURE_PX);
  const drawing = new Drawing(size);
  const svgs: string[] = [];
  for (const object of objects) {
    drawing.add(object);
    if (drawing.pending >= OBJECTS_IN_SVG) svgs.push(drawing.take());
  }
  svgs.push(drawing.take(), drawing.legend());
  const { width, height } = size;
  return { width, height, backdrop: await pictureOf(scene, PICTURE_PX), svgs };
}
