/** Tiles in groups, each group one input tensor. */
import { type Tensor, tensor, volume } from "../attention/index.ts";
import type { Clock } from "./clock.ts";
import type { Detector } from "./detector.ts";
import { type Preprocessing, writeInput } from "./preprocess.ts";
import type { ReadTile } from "./read-tiles.ts";

/** Tiles that follow one another in the plan, and the input made of those that hold data. */
export interface Batch {
  readonly tiles: readonly ReadTile[];
  /** Undefined where none of them does. */
  readonly input: Tensor<"B C Y X"> | undefined;
}

/**
 * Groups tiles by their place in the plan, skipped ones included: which tiles run together then does not depend on
 * where a run was resumed, and neither do the last bits of its results.
 *
 * @param size tiles in a group; the last may be smaller
 * @param allocate memory of any content @default new
 */
export async function* toBatches(
  tiles: AsyncIterable<ReadTile>,
  size: number,
  preprocessing: Preprocessing,
  clock: Clock,
  allocate?: Detector["allocate"],
): AsyncGenerator<Batch, void, undefined> {
  const toBatch = (group: readonly ReadTile[]): Batch => {
    const end = clock.begin("prepare");
    const batch = { tiles: group, input: toInput(group, preprocessing, allocate) };
    end();
    return batch;
  };
  let group: ReadTile[] = [];
  for await (const tile of tiles) {
    group.push(tile);
    if (group.length === size) {
      yield toBatch(group);
      group = [];
    }
  }
  if (group.length > 0) yield toBatch(group);
}

/** The tiles that hold data, one after another. @param allocate memory of any content @default new */
export function toInput(
  tiles: readonly ReadTile[],
  preprocessing: Preprocessing,
  allocate?: Detector["allocate"],
): Tensor<"B C Y X"> | undefined {
  const filled = tiles.flatMap(({ pixels }) => (pixels === undefined ? [] : [pixels]));
  if (filled.length === 0) return undefined;
  const { input, fit } = preprocessing;
  const each = input.channels * fit.width * fit.height;
  const shape = [filled.length, input.channels, fit.height, fit.width];
  const all = tensor("B C Y X", shape, allocate?.(volume(shape)));
  filled.forEach((pixels, i) => {
    writeInput(pixels, preprocessing, all.data.subarray(i * each, (i + 1) * each));
  });
  return all;
}
