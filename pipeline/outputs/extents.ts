/**
 * The extents of all objects of a file, for its spatial index. They are the one thing that an indexed format keeps
 * for every object: 32 bytes each.
 */
export interface Extents {
  readonly count: number;
  readonly add: (extent: ArrayLike<number>) => void;
  /** `[west, south, east, north]` of object `i`. */
  readonly at: (i: number) => Float64Array;
  /** Of all objects; undefined where there is none. */
  readonly total: () => Float64Array | undefined;
  /** Object numbers in the order of a Hilbert curve through the centres, so that neighbours share an index node. */
  readonly hilbertOrder: () => Uint32Array;
}

export function createExtents(): Extents {
  let values = new Float64Array(4 * 1024);
  let count = 0;
  const total = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
  const at = (i: number): Float64Array => values.subarray(4 * i, 4 * i + 4);
  return {
    get count() {
      return count;
    },
    add: (extent) => {
      if (4 * count === values.length) {
        const larger = new Float64Array(2 * values.length);
        larger.set(values);
        values = larger;
      }
      values.set(extent, 4 * count++);
      widen(total, extent);
    },
    at,
    total: () => (count === 0 ? undefined : total),
    hilbertOrder: () => {
      const keys = Float64Array.from({ length: count }, (_, i) => hilbertKey(at(i), total));
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      return order.sort((i, j) => (keys[i] ?? 0) - (keys[j] ?? 0) || i - j);
    },
  };
}

/** Makes `total` hold `extent` too. */
export function widen(total: Float64Array, extent: ArrayLike<number>): void {
  for (let k = 0; k < 2; k++) {
    total[k] = Math.min(total[k] ?? Infinity, extent[k] ?? Infinity);
    total[k + 2] = Math.max(total[k + 2] ?? -Infinity, extent[k + 2] ?? -Infinity);
  }
}

/** Bits of each coordinate on the curve. */
const ORDER = 16;

function hilbertKey(extent: Float64Array, total: Float64Array): number {
  const cell = (axis: 0 | 1): number => {
    const from = total[axis] ?? 0;
    const span = (total[axis + 2] ?? 0) - from;
    const centre = ((extent[axis] ?? 0) + (extent[axis + 2] ?? 0)) / 2;
    return span > 0 ? Math.floor(((centre - from) / span) * (2 ** ORDER - 1)) : 0;
  };
  return hilbertDistance(cell(0), cell(1));
}

/**
 * The place of a cell along the Hilbert curve: from the largest quadrant to the smallest, each turn of the curve
 * undone before the next (D. Hilbert, "Über die stetige Abbildung einer Linie auf ein Flächenstück", 1891).
 */
function hilbertDistance(x: number, y: number): number {
  let distance = 0;
  for (let side = 2 ** (ORDER - 1); side >= 1; side /= 2) {
    const right = (x & side) > 0 ? 1 : 0;
    const upper = (y & side) > 0 ? 1 : 0;
    distance += side * side * ((3 * right) ^ upper);
    if (upper === 0) {
      if (right === 1) [x, y] = [side - 1 - x, side - 1 - y];
      [x, y] = [y, x];
    }
    x &= side - 1;
    y &= side - 1;
  }
  return distance;
}
