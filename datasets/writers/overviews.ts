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
  const isData = (value: number): boolean => value !== nodata && !Number.isNaN(value);
  for (let row = 0; row < height; row += 2) {
    // The last row and column of an odd size are taken twice.
    const below = row + 1 < height ? width : 0;
    for (let column = 0; column < width; column += 2) {
      const right = column + 1 < width ? 1 : 0;
      const at = row * width + column;
      const a = from[at]!;
      const b = from[at + right]!;
      const c = from[at + below]!;
      const d = from[at + below + right]!;
      const whole = isData(a) && isData(b) && isData(c) && isData(d);
      const place = (toY + (row >> 1)) * toWidth + toX + (column >> 1);
      to[place] = whole
        ? mean(a + b + c + d, 4)
        : meanOfData([a, b, c, d].filter(isData), mean, nodata);
    }
  }
}

function meanOfData(values: readonly number[], mean: Mean, nodata: number | undefined): number {
  if (values.length === 0) return nodata ?? Number.NaN;
  return mean(
    values.reduce((sum, value) => sum + value, 0),
    values.length,
  );
}
