/**
 * Halving a scene while it is written: 2×2 pixels become one.
 *
 * An overview gathers a row of tiles and passes it on when it is full, so that memory is a band of the scene.
 */
import type { Samples, SampleType } from "../scene.ts";
import { allocate } from "../readers/samples.ts";

/** A band of whole rows of a level, as wide as the level. */
export interface Strip {
  readonly y: number;
  readonly rows: number;
  readonly width: number;
  readonly bands: readonly Samples[];
}

export interface HalfLevel {
  readonly width: number;
  readonly height: number;
  /** Takes pixels of the level above; even offsets, except for its last row and column. */
  readonly add: (
    x: number,
    y: number,
    width: number,
    height: number,
    bands: readonly Samples[],
  ) => void;
  /** The rows gathered from `y`. */
  readonly take: (y: number, rows: number) => Strip;
}

export function halfLevel(
  above: { readonly width: number; readonly height: number },
  stripRows: number,
  type: SampleType,
  bandCount: number,
  nodata: number | undefined,
): HalfLevel {
  const width = Math.ceil(above.width / 2);
  const height = Math.ceil(above.height / 2);
  const bands = Array.from({ length: bandCount }, () => allocate(type, width * stripRows));
  const skipped = type === "float32" && nodata !== undefined ? Math.fround(nodata) : nodata;
  const mean = type.startsWith("float") ? plainMean : roundedMean;
  return {
    width,
    height,
    add: (x, y, partWidth, partHeight, part) => {
      const toX = x >> 1;
      const toY = (y >> 1) % stripRows;
      part.forEach((from, band) => {
        const to = bands[band];
        if (to !== undefined)
          halve(from, partWidth, partHeight, to, width, toX, toY, mean, skipped);
      });
    },
    take: (y, rows) => ({
      y,
      rows,
      width,
      bands: bands.map((band) => band.slice(0, rows * width)),
    }),
  };
}

type Mean = (sum: number, count: number) => number;

const plainMean: Mean = (sum, count) => sum / count;
const roundedMean: Mean = (sum, count) => Math.round(sum / count);

function halve(
  from: Samples,
  width: number,
  height: number,
  to: Samples,
  toWidth: number,
  toX: number,
  toY: number,
  mean: Mean,
  nodata: number | undefined,
): void {
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      let sum = 0;
      let count = 0;
      for (let y = row; y < Math.min(row + 2, height); y += 1) {
        for (let x = column; x < Math.min(column + 2, width); x += 1) {
          const value = from[y * width + x] ?? 0;
          if (value === nodata || Number.isNaN(value)) continue;
          sum += value;
          count += 1;
        }
      }
      const at = (toY + (row >> 1)) * toWidth + toX + (column >> 1);
      to[at] = count === 0 ? (nodata ?? Number.NaN) : mean(sum, count);
    }
  }
}
