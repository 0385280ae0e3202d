/** What a session is fed: the tiles as the file wants them, and the small inputs beside them. */
import { ModelError } from "../../models/index.ts";
import type { EngineTensor, Feeds, Port } from "../engines/engine.ts";
import type { ImageInput } from "./image-input.ts";

/**
 * Feeds `tiles` (`[n C Y X]`, n ≤ `batch`; the rest is zeros).
 *
 * @param gsdM  metres per pixel of the tiles, 0 where unknown; for networks that ask
 * @throws {ModelError} where another input is none that detectors are known to have.
 */
export function feed(
  ports: readonly Port[],
  image: ImageInput,
  tiles: Float32Array,
  batch: number,
  gsdM = 0,
): Feeds {
  return Object.fromEntries(
    ports.map((port) => [
      port.name,
      port.name === image.name ? toImage(image, tiles, batch) : beside(port, image, batch, gsdM),
    ]),
  );
}

function toImage(image: ImageInput, tiles: Float32Array, batch: number): EngineTensor {
  const { channels, width, height, layout, rank, type } = image;
  const size = batch * channels * height * width;
  const filled = tiles.length === size ? tiles : padded(tiles, size);
  const data = layout === "B C Y X" ? filled : toChannelsLast(filled, channels, width * height);
  const axes = layout === "B C Y X" ? [channels, height, width] : [height, width, channels];
  const dims = rank === 4 ? [batch, ...axes] : axes;
  return type === "uint8"
    ? { type, dims, data: Uint8Array.from(new Uint8ClampedArray(data)) }
    : { type, dims, data };
}

function padded(tiles: Float32Array, size: number): Float32Array {
  const all = new Float32Array(size);
  all.set(tiles);
  return all;
}

function toChannelsLast(data: Float32Array, channels: number, pixels: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let from = 0; from < data.length; from += channels * pixels) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        turned[from + pixel * channels + channel] = data[from + channel * pixels + pixel]!;
      }
    }
  }
  return turned;
}

/** Inputs that say how large the image is or which part of it counts: all of it, at its own size. */
function beside(
  port: Port,
  { width, height }: ImageInput,
  batch: number,
  gsdM: number,
): EngineTensor {
  switch (port.name) {
    case "orig_target_sizes": // RT-DETR, D-FINE, DEIM
      return numbers(port, [batch, 2], [width, height]);
    case "im_shape": // PaddleDetection
      return numbers(port, [batch, 2], [height, width]);
    case "scale_factor":
      return numbers(port, [batch, 2], [1, 1]);
    case "pixel_mask": {
      const [, rows = height, columns = width] = port.dims; // DETR, Hugging Face
      return numbers(port, [batch, rows, columns], [1]);
    }
    case "gsd_m": // our own: metres per pixel, 0 where unknown
      return numbers(port, [batch, 1], [gsdM]);
    default:
      throw new ModelError(
        `loadDetector: inputs beside the image must be ones that are known (orig_target_sizes, pixel_mask, …), received ${port.name}`,
      );
  }
}

/** `dims` filled with `values` again and again. */
function numbers(port: Port, dims: readonly number[], values: readonly number[]): EngineTensor {
  const all = Array.from(
    { length: dims.reduce((a, b) => a * b, 1) },
    (_, i) => values[i % values.length] ?? 0,
  );
  switch (port.type) {
    case "int64":
      return { type: "int64", dims, data: BigInt64Array.from(all, BigInt) };
    case "int32":
      return { type: "int32", dims, data: Int32Array.from(all) };
    case "bool":
      return { type: "bool", dims, data: Uint8Array.from(all) };
    default:
      return { type: "float32", dims, data: Float32Array.from(all) };
  }
}
