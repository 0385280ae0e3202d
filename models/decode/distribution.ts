/**
 * PicoDet and NanoDet: each side of a box is a distribution over bins; its mean times the stride is the distance from
 * the centre of the cell.
 *
 * Li et al., "Generalized Focal Loss", 2020, §3.2, arXiv:2006.04388; Yu et al., "PP-PicoDet", 2021, arXiv:2111.00902
 */
import type { Columns } from "./columns.ts";
import { cellsOf, cellsOnce } from "./grid.ts";
import { IMAGENET, NANODET } from "./habits.ts";
import type { Facts, Head } from "./head.ts";
import { isProbability, soleOutput, stridesOfRows } from "./rows.ts";
import { decodeTiles, indexOfMax, named, rangeOf, toTable } from "./table.ts";

/** Bins of a side in every published model. */
const BINS = 8;
const SIDES = 4 * BINS;

export const picoDet: Head = {
  name: "picodet",
  layout: "for each stride (B, cells, classes) and (B, cells, 32): class scores, 4 sides × 8 bins",
  match(facts) {
    const levels = levelsOf(facts);
    if (levels === undefined) return undefined;
    const strides = levels.map(({ stride }) => stride);
    const classCount = levels[0]?.classCount ?? 0;
    return {
      classCount,
      oriented: false,
      reasons: [
        `Outputs come in pairs for strides ${strides.join(", ")}: ${classCount} class scores and ${SIDES} box values for each cell.`,
      ],
      notices: [],
      habits: IMAGENET,
      decode(outputs, context) {
        const tables = levels.map(({ scores, sides, stride }) => ({
          scores: toTable(named(outputs, scores)),
          sides: toTable(named(outputs, sides)),
          cells: cellsOf(context, [stride]),
        }));
        return decodeTiles(context, "upright", (item, into) => {
          for (const { scores, sides, cells } of tables) {
            for (let cell = 0; cell < scores.rows; cell++) {
              const at = item * scores.itemStep + cell * scores.rowStep;
              const best = indexOfMax(scores.data, at, at + classCount);
              const score = scores.data[best]!;
              if (!into.wants(score)) continue;
              const box = { data: sides.data, at: item * sides.itemStep + cell * sides.rowStep };
              const step = cells.stride[cell]!;
              addSides(into, score, best - at, box, {
                x: (cells.x[cell]! + 0.5) * step,
                y: (cells.y[cell]! + 0.5) * step,
                step,
              });
            }
          }
        });
      },
    };
  },
};

export const nanoDet: Head = {
  name: "nanodet",
  layout: "(B, cells, classes + 32): class scores, 4 sides × 8 bins",
  match(facts, asked) {
    const sole = soleOutput(facts);
    const strides = sole && stridesOfRows(sole, facts, asked);
    if (sole === undefined || strides === undefined || sole.second <= SIDES) return undefined;
    const table = toTable(named(facts.probe, sole.name));
    const { min, max } = rangeOf(table, sole.second - 1);
    if (!asked && !(isProbability(table, 0) && (min < 0 || max > 1))) return undefined;
    const classCount = sole.second - SIDES;
    const cells = cellsOnce(strides);
    // NanoDet-Plus, which added stride 64, measures from the corner of a cell; the first NanoDet from its centre.
    const offset = strides.includes(64) ? 0 : 0.5;
    return {
      classCount,
      oriented: false,
      reasons: [
        `Output ${sole.name} has ${sole.first} rows: one for each cell of strides ${strides.join(", ")}.`,
        `Its last ${SIDES} columns leave 0…1: 4 sides × ${BINS} bins after ${classCount} classes.`,
      ],
      notices: sole.notices,
      habits: NANODET,
      decode(outputs, context) {
        const { data, rows, rowStep, itemStep } = toTable(named(outputs, sole.name));
        const { x, y, stride } = cells(context);
        return decodeTiles(context, "upright", (item, into) => {
          for (let row = 0, at = item * itemStep; row < rows; row++, at += rowStep) {
            const best = indexOfMax(data, at, at + classCount);
            if (!into.wants(data[best]!)) continue;
            const step = stride[row]!;
            addSides(
              into,
              data[best]!,
              best - at,
              { data, at: at + classCount },
              {
                x: (x[row]! + offset) * step,
                y: (y[row]! + offset) * step,
                step,
              },
            );
          }
        });
      },
    };
  },
};

interface Level {
  readonly scores: string;
  readonly sides: string;
  readonly stride: number;
  readonly classCount: number;
}

/** Pairs outputs by their number of cells; undefined where any is left over. */
function levelsOf({ probe, width, height }: Facts): readonly Level[] | undefined {
  const outputs = Object.entries(probe);
  if (outputs.length < 4 || outputs.some(([, { dims }]) => dims.length !== 3)) return undefined;
  const taken = new Set<number>(); // in a small picture the coarsest strides have one cell each
  const levels = [8, 16, 32, 64, 128].flatMap((stride) => {
    const cells = Math.ceil(width / stride) * Math.ceil(height / stride);
    if (taken.has(cells)) return [];
    taken.add(cells);
    const pair = outputs.filter(([, { dims }]) => dims[1] === cells);
    // Class maps come first in the file; that tells them apart in a model with 32 classes too.
    const sides = pair.findLast(([, { dims }]) => dims[2] === SIDES);
    const scores = pair.find((entry) => entry !== sides);
    if (pair.length !== 2 || sides === undefined || scores === undefined) return [];
    return [{ scores: scores[0], sides: sides[0], stride, classCount: scores[1].dims[2] ?? 0 }];
  });
  const isWhole = levels.length * 2 === outputs.length;
  const isEven = new Set(levels.map(({ classCount }) => classCount)).size === 1;
  return isWhole && isEven ? levels : undefined;
}

interface Anchor {
  readonly x: number;
  readonly y: number;
  /** Pixels of one bin. */
  readonly step: number;
}

function addSides(
  into: Columns,
  score: number,
  klass: number,
  { data, at }: { readonly data: Float32Array; readonly at: number },
  { x, y, step }: Anchor,
): void {
  const left = meanBin(data, at) * step;
  const top = meanBin(data, at + BINS) * step;
  const right = meanBin(data, at + 2 * BINS) * step;
  const bottom = meanBin(data, at + 3 * BINS) * step;
  into.addCorners(score, klass, x - left, y - top, x + right, y + bottom);
}

/** Mean of the distribution softmax(data[at … at + bins − 1]) over 0 … bins − 1. */
function meanBin(data: Float32Array, at: number): number {
  const max = data[indexOfMax(data, at, at + BINS)]!;
  let [weight, sum] = [0, 0];
  for (let bin = 0; bin < BINS; bin++) {
    const p = Math.exp(data[at + bin]! - max);
    weight += p;
    sum += p * bin;
  }
  return sum / weight;
}
