/**
 * Weighted box fusion: boxes of one object become their mean, weighted by score (Solovyev, Wang and Gabruseva, Weighted
 * boxes fusion, 2021, arXiv:1910.13302, §3). The score is the mean of the scores; there is one model, so the paper's factor for
 * models that missed the object does not apply.
 *
 * From the best box to the worst, a box joins the cluster whose fused box it overlaps most, if that is enough, and opens a new
 * one otherwise. One thing differs from the paper: only clusters that hold a box which matches are asked. That makes the
 * method local, and an index can serve it.
 */
import {
  type Boxes,
  coordinates,
  orderClockwise,
  overlap,
  stride,
  withCoordinates,
} from "../../datasets/index.ts";
import type { Candidates } from "./candidates.ts";
import type { Method } from "./method.ts";

/** Boxes of one object, and their weighted sums. */
interface Cluster {
  readonly seed: number;
  count: number;
  scores: number;
  /** Σ score · number; of oriented boxes with corners turned to the seed's order. */
  readonly sums: Float64Array;
  /** Σ score · length of the sides that the first and second edge of the seed became. */
  readonly sides: [along: number, across: number];
  fused: Boxes<"scene">;
}

export const wbf: Method = ({ candidates, near, pairs, stays, rules }) => {
  const clusterOf = new Int32Array(candidates.count).fill(-1);
  const clusters: Cluster[] = [];
  for (let row = 0; row < candidates.count; row++) {
    if (stays[row] === 0) continue;
    const own = boxAt(candidates, row);
    const asked = new Set<number>();
    near(row, (other) => {
      if (other > row || clusterOf[other] === -1 || asked.has(clusterOf[other]!)) return;
      if (pairs.matches(other, row)) asked.add(clusterOf[other]!);
    });
    let [best, most] = [-1, 0];
    for (const index of [...asked].sort((a, b) => a - b)) {
      const { fused, seed } = clusters[index]!;
      const ratio = overlap(fused, 0, own, 0, rules.metric);
      if (ratio >= pairs.atLeast(seed) && ratio > most) [best, most] = [index, ratio];
    }
    if (best === -1) best = clusters.push(open(row, own)) - 1;
    add(clusters[best]!, own, candidates.scores[row]!);
    clusterOf[row] = best;
  }
  return {
    seeds: clusters.map(({ seed }) => seed),
    scores: clusters.map(({ scores, count }) => scores / count),
    boxes: clusters.map(({ fused, count }) => (count === 1 ? undefined : coordinates(fused))),
  };
};

function boxAt({ boxes }: Candidates, row: number): Boxes<"scene"> {
  const width = stride(boxes);
  const numbers = coordinates(boxes).subarray(row * width, row * width + width);
  return withCoordinates(boxes, width === 8 ? orderClockwise(numbers) : numbers);
}

function open(seed: number, own: Boxes<"scene">): Cluster {
  const sums = new Float64Array(stride(own));
  return { seed, count: 0, scores: 0, sums, sides: [0, 0], fused: own };
}

function add(cluster: Cluster, own: Boxes<"scene">, score: number): void {
  const numbers = coordinates(own);
  const start = own.kind === "oriented" ? nearestStart(coordinates(cluster.fused), numbers) : 0;
  for (let k = 0; k < numbers.length; k++) {
    cluster.sums[k]! += score * numbers[(k + start) % numbers.length]!;
  }
  cluster.sides[0] += score * edge(numbers, start);
  cluster.sides[1] += score * edge(numbers, start + 2);
  cluster.scores += score;
  cluster.count += 1;
  if (cluster.count === 1 || cluster.scores === 0) return;
  const mean = cluster.sums.map((sum) => sum / cluster.scores);
  const [along, across] = [cluster.sides[0] / cluster.scores, cluster.sides[1] / cluster.scores];
  cluster.fused = withCoordinates(
    own,
    own.kind === "oriented" ? straighten(mean, along, across) : mean,
  );
}

/**
 * Which corner of `other` stands for the first of `fused`: the turn with the least sum of squared distances. So two
 * descriptions of one rectangle, whatever their first corner or angle convention, fuse to that rectangle.
 */
function nearestStart(fused: Float64Array, other: Float64Array): number {
  let [start, least] = [0, Number.POSITIVE_INFINITY];
  for (let turn = 0; turn < 8; turn += 2) {
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += (fused[k]! - other[(k + turn) & 7]!) ** 2;
    if (sum < least) [start, least] = [turn, sum];
  }
  return start;
}

/** Length of the edge from the corner at `start`. */
function edge(numbers: Float64Array, start: number): number {
  if (numbers.length === 4) return 0;
  const [a, b] = [start & 7, (start + 2) & 7];
  return Math.hypot(numbers[b]! - numbers[a]!, numbers[b + 1]! - numbers[a + 1]!);
}

/**
 * The rectangle with given sides that lies like the mean of rectangles. The mean of turned rectangles is no rectangle, and
 * smaller than each; its centre and direction are right, and the sides are averaged by themselves.
 */
function straighten(mean: Float64Array, along: number, across: number): Float64Array {
  const at = (k: number): number => mean[k & 7]!;
  // First edge plus second edge turned back by a quarter: where the rectangle points.
  const [ex, ey] = [at(2) - at(0) + at(4) - at(6), at(3) - at(1) + at(5) - at(7)];
  const [fx, fy] = [at(4) - at(2) + at(6) - at(0), at(5) - at(3) + at(7) - at(1)];
  const direction = Math.atan2(ey - fx, ex + fy);
  const [cos, sin] = [Math.cos(direction), Math.sin(direction)];
  const [ux, uy] = [(along / 2) * cos, (along / 2) * sin];
  const [vx, vy] = [(-across / 2) * sin, (across / 2) * cos];
  const cx = (at(0) + at(2) + at(4) + at(6)) / 4;
  const cy = (at(1) + at(3) + at(5) + at(7)) / 4;
  return Float64Array.of(
    cx - ux - vx,
    cy - uy - vy,
    cx + ux - vx,
    cy + uy - vy,
    cx + ux + vx,
    cy + uy + vy,
    cx - ux + vx,
    cy - uy + vy,
  );
}
