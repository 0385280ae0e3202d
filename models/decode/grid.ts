/** The cells of anchor-free heads: a grid for each stride, one after another, row by row. */

export interface Cells {
  readonly count: number;
  readonly strides: readonly number[];
  /** Column and row of each cell in its grid, and its stride. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly stride: Float32Array;
}

/** Sets of strides that published detectors use, the most usual first. */
const STRIDES: readonly (readonly number[])[] = [
  [8, 16, 32],
  [8, 16, 32, 64],
  [4, 8, 16, 32],
  [16, 32],
  [8, 16],
];

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How usual the strides are that give `rows` candidates: 0 for the most usual, infinite where none do. */
export function strideRank(rows: number, size: Size, perCell = 1): number {
  const rank = STRIDES.findIndex((strides) => cellCount(size, strides) * perCell === rows);
  return rank < 0 ? Infinity : rank;
}

/** Which strides give `rows` candidates with `perCell` in each cell; undefined where none do. */
export function stridesFor(rows: number, size: Size, perCell = 1): readonly number[] | undefined {
  return STRIDES[strideRank(rows, size, perCell)];
}

function cellCount({ width, height }: Size, strides: readonly number[]): number {
  return strides.reduce((sum, s) => sum + Math.ceil(width / s) * Math.ceil(height / s), 0);
}

export function cellsOf({ width, height }: Size, strides: readonly number[]): Cells {
  const count = cellCount({ width, height }, strides);
  const [x, y, stride] = [0, 1, 2].map(() => new Float32Array(count)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  let at = 0;
  for (const step of strides) {
    const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at++) {
        x[at] = column;
        y[at] = row;
        stride[at] = step;
      }
    }
  }
  return { count, strides, x, y, stride };
}

/** Remembers the cells of the last size: tiles of one run are all alike. */
export function cellsOnce(strides: readonly number[]): (size: Size) => Cells {
  let last: { readonly key: string; readonly cells: Cells } | undefined;
  return ({ width, height }) => {
    const key = `${width} ${height}`;
    if (last?.key !== key) last = { key, cells: cellsOf({ width, height }, strides) };
    return last.cells;
  };
}
