/** Which format a file is in: by its first bytes, its name only for the message. */

export type SceneFormat = "GeoTIFF" | "PNG" | "JPEG" | "WebP";

/** Bytes that {@link sniffFormat} wants to see. */
export const SNIFF_BYTES = 16;

interface Signature {
  readonly format: SceneFormat;
  readonly at: number;
  readonly bytes: readonly number[];
}

const SIGNATURES: readonly Signature[] = [
  { format: "GeoTIFF", at: 0, bytes: [0x49, 0x49, 42, 0] },
  { format: "GeoTIFF", at: 0, bytes: [0x4d, 0x4d, 0, 42] },
  { format: "GeoTIFF", at: 0, bytes: [0x49, 0x49, 43, 0] },
  { format: "GeoTIFF", at: 0, bytes: [0x4d, 0x4d, 0, 43] },
  { format: "PNG", at: 0, bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { format: "JPEG", at: 0, bytes: [0xff, 0xd8, 0xff] },
  { format: "WebP", at: 8, bytes: [0x57, 0x45, 0x42, 0x50] },
];

/** The format by content; undefined where it is none of these. */
export function sniffFormat(head: Uint8Array): SceneFormat | undefined {
  return SIGNATURES.find(({ at, bytes }) => bytes.every((byte, i) => head[at + i] === byte))
    ?.format;
}

/** Endings of the files that can be scenes, for walking folders. */
export const SCENE_EXTENSIONS = ["tif", "tiff", "gtiff", "png", "jpg", "jpeg", "webp"] as const;

/** What is said of a file that is no scene. */
export function unknownFormat(name: string, head: Uint8Array): string {
  if (head.length === 0) return `${name}: a scene must have content, the file is empty`;
  const shown = [...head.subarray(0, 8)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join(" ");
  const isText = head.every((byte) => byte >= 9 && byte < 127);
  const content = isText ? "the file holds text" : `the file begins with ${shown}`;
  return `${name}: a scene must be a TIFF, PNG, JPEG or WebP, ${content}`;
}
