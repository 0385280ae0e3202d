/** What the readers of label folders share: files, and the images beside them. */
import { access, readFile, readdir, stat } from "node:fs/promises";
import { extname, join, relative, resolve, sep } from "node:path";
import sharp from "sharp";
import type { ImageFacts } from "./dota.ts";
import { LabelsError } from "./labels.ts";

export const IMAGE_EXTENSIONS: readonly string[] = [
  ".png",
  ".jpg",
  ".jpeg",
  ".tif",
  ".tiff",
  ".webp",
  ".bmp",
];

/**
 * Size and name of an image; one that cannot be read has no size and says why, so that it costs itself and not its set.
 *
 * @param root - folder that the name starts from
 */
export async function imageFacts(path: string, root: string): Promise<ImageFacts> {
  const file = nameIn(root, path);
  try {
    // Only the head is read: the limit on decoded pixels would refuse large scenes.
    const { autoOrient } = await sharp(path, { limitInputPixels: false }).metadata();
    return { file, width: autoOrient.width, height: autoOrient.height };
  } catch (cause) {
    const fault = `${path}: must be an image that can be read (${reasonOf(cause)})`;
    return { file, width: 0, height: 0, fault };
  }
}

/** The path from a folder on, with `/`. */
export function nameIn(root: string, path: string): string {
  return relative(resolve(root), resolve(path)).split(sep).join("/");
}

/** `override`, else the subfolder of that name where there is one, else the folder itself. */
export async function firstFolder(
  root: string,
  override: string | undefined,
  name: string,
): Promise<string> {
  if (override !== undefined) return override;
  const inner = join(root, name);
  return (await kindOf(inner)) === "folder" ? inner : root;
}

export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return undefined; // what is missing is said by whoever needs it
  }
}

/** The first of the paths that is there. */
export async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path;
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** All files with one of the extensions, sorted. @throws {LabelsError} where there is none */
export async function filesUnder(
  folder: string,
  extensions: readonly string[],
): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new LabelsError(`${folder}: must be a folder that can be read, received none`, { cause });
  });
  const files = entries.filter((name) => extensions.includes(extname(name).toLowerCase()));
  if (files.length === 0) {
    throw new LabelsError(
      `${folder}: must hold files of ${extensions.join(", ")}, received an empty set`,
    );
  }
  return files.toSorted().map((name) => join(folder, name));
}

/** @throws {LabelsError} for a file that cannot be read */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const why = reasonOf(cause);
    throw new LabelsError(`${path}: must be a file that can be read (${why})`, { cause });
  }
}

/** Nothing for a missing file: an image without objects has none. */
export async function textIfAny(path: string): Promise<string> {
  return (await exists(path)) ? textOf(path) : "";
}

export const reasonOf = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause);

/** The name with another extension. A tile's place is none: `scene.tif@512,0` becomes `scene.tif@512,0.txt`. */
export function withExtension(name: string, extension: string): string {
  return name.replace(/\.\w+$/, "") + extension;
}
