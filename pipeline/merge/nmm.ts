/**
 * Greedy non-maximum merging: the best box takes in all it overlaps enough, and grows to enclose them. What is taken in
 * is decided by the best box as it was found, so an object does not creep along a row of others.
 */
import { type Boxes, coordinates, minAreaRectangle, stride } from "../../datasets/index.ts";
import type { Method } from "./method.ts";

export const nmm: Method = ({ candidates: { count, boxes }, near, pairs, stays }) => {
  const alive = stays.slice();
  const seeds: number[] = [];
  const merged: (Float64Array | undefined)[] = [];
  for (let row = 0; row < count; row++) {
    if (alive[row] === 0) continue;
    const members = [row];
    near(row, (other) => {
      if (other <= row || alive[other] === 0 || !pairs.matches(row, other)) return;
      alive[other] = 0;
      members.push(other);
    });
    seeds.push(row);
    merged.push(members.length === 1 ? undefined : enclose(boxes, members));
  }
  return { seeds, boxes: merged };
};

/** The smallest box round the boxes: upright round upright ones, a rectangle at any angle round oriented ones. */
function enclose(boxes: Boxes<"scene">, rows: readonly number[]): Float64Array {
  const [numbers, width] = [coordinates(boxes), stride(boxes)];
  return encloseNumbers(rows.map((row) => numbers.subarray(row * width, row * width + width)));
}

/** {@link enclose} for boxes of four numbers or eight numbers each. */
export function encloseNumbers(parts: readonly Float64Array[]): Float64Array {
  if (parts[0]?.length === 8) return minAreaRectangle(parts.flatMap((part) => [...part]));
  const round = parts[0]!.slice();
  for (const [x1, y1, x2, y2] of parts as readonly (readonly number[] & Float64Array)[]) {
    round[0] = Math.min(round[0]!, x1!);
    round[1] = Math.min(round[1]!, y1!);
    round[2] = Math.max(round[2]!, x2!);
    round[3] = Math.max(round[3]!, y2!);
  }
  return round;
}
