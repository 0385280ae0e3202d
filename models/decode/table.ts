/** An output read as a table: a row for each candidate, whichever axis the exporter put first. */
import { ModelError } from "../card.ts";
import type { DecodeContext, Decoded, OutputArray, Outputs } from "./head.ts";
import { Columns } from "./columns.ts";

/** `data[item · itemStep + row · rowStep + column · columnStep]`. */
export interface Table {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly itemStep: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** `[B, rows, columns]`, or `[B, columns, rows]` if `turned`; a missing batch axis is taken as 1. */
export function toTable(output: OutputArray, turned = false): Table {
  const [first = 1, second = 1] = output.dims.slice(-2);
  const [rows, columns] = turned ? [second, first] : [first, second];
  return {
    data: toFloats(output),
    rows,
    columns,
    itemStep: rows * columns,
    rowStep: turned ? 1 : columns,
    columnStep: turned ? rows : 1,
  };
}

export function toFloats({ data }: OutputArray): Float32Array {
  if (data instanceof Float32Array) return data;
  return data instanceof BigInt64Array ? Float32Array.from(data, Number) : Float32Array.from(data);
}

/** The output of that name. */
export function named(outputs: Outputs, name: string): OutputArray {
  const output = outputs[name];
  if (output === undefined) {
    const seen = Object.keys(outputs).join(", ");
    throw new ModelError(`decode: a run must give the output ${name}, received ${seen}`);
  }
  return output;
}

/** Decodes tile by tile. */
export function decodeTiles(
  { batch, scoreAtLeast }: DecodeContext,
  kind: "upright" | "oriented",
  collect: (item: number, into: Columns) => void,
): Decoded {
  const bestScores = new Float32Array(batch);
  const perTile = Array.from({ length: batch }, (_, item) => {
    const columns = new Columns(scoreAtLeast, kind);
    collect(item, columns);
    bestScores[item] = columns.best;
    return columns.finish();
  });
  return { perTile, bestScores };
}

/** The highest of the columns `from … to − 1` of every row of one item, and which column it was (from 0). */
export interface Bests {
  readonly scores: Float32Array;
  readonly classes: Uint16Array;
}

/** Walks the memory in order, whichever way the table lies. */
export function bestOfRows(table: Table, item: number, from: number, to: number): Bests {
  const { data, rows, rowStep, columnStep, itemStep } = table;
  const scores = new Float32Array(rows).fill(-Infinity);
  const classes = new Uint16Array(rows);
  const base = item * itemStep;
  if (rowStep === 1) {
    for (let column = from; column < to; column++) {
      const start = base + column * columnStep;
      for (let row = 0; row < rows; row++) {
        const value = data[start + row]!;
        if (value > scores[row]!) {
          scores[row] = value;
          classes[row] = column - from;
        }
      }
    }
    return { scores, classes };
  }
  for (let row = 0; row < rows; row++) {
    const start = base + row * rowStep;
    const column = indexOfMax(data, start + from, start + to);
    scores[row] = data[column]!;
    classes[row] = column - start - from;
  }
  return { scores, classes };
}

/** Where the highest of `data[from … to − 1]` is. */
export function indexOfMax(data: Float32Array, from: number, to: number): number {
  let at = from;
  for (let i = from + 1; i < to; i++) if (data[i]! > data[at]!) at = i;
  return at;
}

/** Lowest and highest of one column, over all items. */
export function rangeOf(
  table: Table,
  column: number,
): { readonly min: number; readonly max: number } {
  let [min, max] = [Infinity, -Infinity];
  const { data, rows, rowStep, columnStep, itemStep } = table;
  for (let base = column * columnStep; base < data.length; base += itemStep) {
    for (let row = 0; row < rows; row++) {
      const value = data[base + row * rowStep]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return { min, max };
}
