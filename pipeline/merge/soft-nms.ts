/**
 * Soft-NMS: an overlapping box is not removed but loses score, the more the greater the overlap (Bodla, Singh, Chellappa and
 * Davis, Soft-NMS: improving object detection with one line of code, 2017, arXiv:1704.04503, eq. 2 linear, eq. 3
 * gaussian). Boxes that fall below the least score are dropped.
 */
import type { Method } from "./method.ts";
import { createQueue } from "./queue.ts";

export const softNms: Method = ({ candidates, near, pairs, stays, rules }) => {
  const current = Float64Array.from(candidates.scores);
  const waiting = stays.slice();
  const seeds: number[] = [];
  const scores: number[] = [];
  const queue = createQueue(candidates.count);
  for (let row = 0; row < candidates.count; row++) {
    if (stays[row] === 1) queue.push(row, current[row]!);
  }
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { row, score } = next;
    // Scores only fall: an entry that is out of date goes back with its present score.
    if (score !== current[row]!) {
      if (current[row]! >= rules.leastScore) queue.push(row, current[row]!);
      continue;
    }
    if (score < rules.leastScore) break;
    waiting[row] = 0;
    seeds.push(row);
    scores.push(score);
    near(row, (other) => {
      if (waiting[other] === 0) return;
      const [better, worse] = row < other ? [row, other] : [other, row];
      const overlap = pairs.overlap(better, worse);
      if (overlap > 0)
        current[other] = current[other]! * rules.decay(overlap, pairs.atLeast(better));
    });
  }
  return { seeds, scores };
};
