/** Which images of a TIFF are the scene, its overviews and their masks. */
import { SceneError } from "../../scene.ts";
import type { Directory } from "./directory.ts";
import { PHOTOMETRIC, TAG } from "./tags.ts";

export interface PyramidLevel {
  readonly image: Directory;
  readonly mask: Directory | undefined;
}

export interface Pyramid {
  /** The full resolution: georeferencing and nodata stand here. */
  readonly main: Directory;
  /** Full resolution first, then overviews by falling size. */
  readonly levels: readonly PyramidLevel[];
  readonly warnings: readonly string[];
}

interface Described {
  readonly directory: Directory;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly reduced: boolean;
  readonly isMask: boolean;
}

const REDUCED = 1;
const MASK = 4;
const OLD_REDUCED = 2;

/** @throws {SceneError} where the file holds no image but masks. */
export async function readPyramid(
  name: string,
  directories: readonly Directory[],
): Promise<Pyramid> {
  const described = await Promise.all(directories.map(describe));
  const images = described.filter(({ isMask }) => !isMask);
  const main = images.find(({ reduced }) => !reduced) ?? images[0];
  if (main === undefined)
    throw new SceneError(`${name}: a TIFF must hold an image, received masks`);

  const overviews = images
    .filter((image) => image.reduced && isOverview(image, main))
    .toSorted((one, other) => other.width - one.width);
  const masks = described.filter(({ isMask }) => isMask);
  const levels = [main, ...overviews].map(({ directory, width, height }) => ({
    image: directory,
    mask: masks.find((mask) => mask.width === width && mask.height === height)?.directory,
  }));
  const others = images.length - 1 - overviews.length;
  const warnings =
    others > 0 ? [`the file holds ${others} further images, which are not read`] : [];
  return { main: main.directory, levels: maskedAlike(levels), warnings };
}

/** An overview without its mask would make masked pixels data: it is left out. */
function maskedAlike(levels: readonly PyramidLevel[]): readonly PyramidLevel[] {
  return levels[0]?.mask === undefined ? levels : levels.filter(({ mask }) => mask !== undefined);
}

function isOverview(image: Described, main: Described): boolean {
  const { width, height, samples } = image;
  return width < main.width && height <= main.height && height > 0 && samples === main.samples;
}

async function describe(directory: Directory): Promise<Described> {
  const [width = 0, height = 0, samples = 1, kind = 0, oldKind = 0, photometric] =
    await Promise.all(
      [
        TAG.imageWidth,
        TAG.imageLength,
        TAG.samplesPerPixel,
        TAG.newSubfileType,
        TAG.subfileType,
        TAG.photometric,
      ].map(directory.number),
    );
  return {
    directory,
    width,
    height,
    samples,
    reduced: (kind & REDUCED) !== 0 || oldKind === OLD_REDUCED,
    isMask: (kind & MASK) !== 0 || photometric === PHOTOMETRIC.mask,
  };
}
