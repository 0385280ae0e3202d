/**
 * Annotated pictures: the scene with every object's outline, labels where there is room, and a legend.
 *
 * Node only: sharp draws and encodes. Objects are drawn as they come and not kept; memory holds the picture.
 */
import sharp, { type OverlayOptions } from "sharp";
import type { Scene } from "../../../datasets/index.ts";
import type { FoundObject } from "../../objects.ts";
import type { Output, OutputContext } from "../output.ts";
import { OutputError, fileName } from "../output.ts";
import { type BackdropOptions, pictureSize, readBackdrop } from "../picture/backdrop.ts";
import { Drawing } from "../picture/drawing.ts";
import { openPartialFile } from "./partial-file.ts";

export interface PictureOptions extends BackdropOptions {
  /** @default "png" */
  readonly format?: "png" | "jpeg" | undefined;
}

/** Objects of one SVG: its parser holds them all. */
const OBJECTS_IN_SVG = 2000;

/** The encoded picture of a scene and its objects. @throws {SceneError} where the scene cannot be read */
export async function renderPicture(
  scene: Scene,
  objects: Iterable<FoundObject> | AsyncIterable<FoundObject>,
  options: PictureOptions = {},
): Promise<Uint8Array> {
  const painter = createPainter(scene, options);
  for await (const object of objects) await painter.add(object);
  return painter.encode();
}

interface Painter {
  readonly add: (object: FoundObject) => Promise<void>;
  readonly encode: () => Promise<Uint8Array>;
}

function createPainter(scene: Scene, options: PictureOptions): Painter {
  const size = pictureSize(scene, options.maxSidePx);
  const { width, height } = size;
  const drawing = new Drawing(size);
  const raw = { width, height, channels: 4 as const };
  let overlay = Buffer.alloc(4 * width * height); // transparent

  const layer = (svg: string): OverlayOptions => ({ input: Buffer.from(svg) });
  const flush = async (): Promise<void> => {
    if (drawing.pending === 0) return;
    const drawn = sharp(overlay, { raw }).composite([layer(drawing.take())]);
    overlay = await drawn.raw().toBuffer();
  };
  return {
    add: async (object) => {
      drawing.add(object);
      if (drawing.pending >= OBJECTS_IN_SVG) await flush();
    },
    encode: async () => {
      await flush();
      const rgb = await readBackdrop(scene, size, options);
      const picture = sharp(rgb, { raw: { width, height, channels: 3 } }).composite([
        { input: overlay, raw },
        layer(drawing.legend()),
      ]);
      const encoded =
        options.format === "jpeg"
          ? picture.jpeg({ quality: 90, chromaSubsampling: "4:4:4" })
          : picture.png({ compressionLevel: 9 });
      return encoded.toBuffer();
    },
  };
}

/** A picture as an output of a run. @throws {OutputError} where the context's scene cannot be read from */
export async function openPicture(
  path: string,
  { scene }: OutputContext,
  options: PictureOptions,
): Promise<Output> {
  if (!isScene(scene)) {
    throw new OutputError(
      `${path}: a picture needs the pixels of its scene, received only facts of ${fileName(scene.source)}`,
    );
  }
  const painter = createPainter(scene, options);
  const file = await openPartialFile(path);
  return {
    path,
    write: painter.add,
    finish: async () => {
      try {
        await file.write(await painter.encode());
      } catch (error) {
        await file.abort();
        throw error;
      }
      await file.finish();
    },
    abort: file.abort,
    [Symbol.asyncDispose]: file.abort,
  };
}

function isScene(scene: OutputContext["scene"]): scene is Scene {
  return "read" in scene;
}
