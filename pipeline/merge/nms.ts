/**
 * Non-maximum suppression: the best box stays and removes all it overlaps too much, then the next best that is left.
 */
import type { Method } from "./method.ts";

export const nms: Method = ({ candidates: { count }, near, pairs, stays }) => {
  const alive = stays.slice();
  const seeds: number[] = [];
  for (let row = 0; row < count; row++) {
    if (alive[row] === 0) continue;
    seeds.push(row);
    near(row, (other) => {
      if (other > row && alive[other] === 1 && pairs.matches(row, other)) alive[other] = 0;
    });
  }
  return { seeds };
};
