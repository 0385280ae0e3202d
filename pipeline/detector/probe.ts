/** Pictures that a network is tried on before real ones. */
import type { EngineTensor, Feeds, Session } from "../engines/engine.ts";
import { feed } from "./feed.ts";
import type { ImageInput } from "./image-input.ts";

/** Soft blobs, seeded: `[batch C Y X]` in 0…1, or 0…255 where the network takes bytes. */
export function probePicture(image: ImageInput, batch: number, seed = 1): Float32Array {
  const { channels, width, height, type } = image;
  const data = new Float32Array(batch * channels * height * width);
  const most = type === "uint8" ? 255 : 1;
  let at = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    const phase = seed * 1.7 + plane * 0.9;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const wave = Math.sin(column * 0.11 + phase) * Math.cos(row * 0.07 + phase * 2);
        data[at++] = most * (0.5 + 0.45 * wave);
      }
    }
  }
  return data;
}

/**
 * Whether two tiles in one run give what they give alone. Networks exist that mix tiles, drop the batch axis or were
 * exported for one tile in spite of an open axis; the answer is then a sentence's second half.
 */
export async function batchAgrees(session: Session, image: ImageInput): Promise<true | string> {
  const tiles = [1, 2].map((seed) => probePicture(image, 1, seed));
  const alone: Feeds[] = [];
  for (const tile of tiles) alone.push(await session.run(feed(session.inputs, image, tile, 1)));
  const both = new Float32Array(tiles.flatMap((tile) => tile.length).reduce((a, b) => a + b, 0));
  for (const [i, tile] of tiles.entries()) both.set(tile, i * tile.length);
  let together: Feeds;
  try {
    together = await session.run(feed(session.inputs, image, both, 2));
  } catch {
    return "the model fails on two, although it leaves the batch open.";
  }
  const differs = Object.keys(together).find(
    (name) =>
      !isJoined(
        together[name],
        alone.map((outputs) => outputs[name]),
      ),
  );
  return differs === undefined || `two in one run give another ${differs} than each alone.`;
}

/** Whether `whole` holds the values of `parts` one after another, up to the rounding of a long sum. */
function isJoined(
  whole: EngineTensor | undefined,
  parts: readonly (EngineTensor | undefined)[],
): boolean {
  const values = parts.flatMap((part) => (part === undefined ? [] : Array.from(part.data, Number)));
  if (whole === undefined || values.length !== whole.data.length) return false;
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const tolerance = 1e-3 * largest + 1e-5;
  return values.every((value, i) => Math.abs(value - Number(whole.data[i])) <= tolerance);
}
