/** From ranked candidates to objects: drop parts, let the method merge, join parts that no tile saw whole. */
import { type Detections, coordinates, stride, withCoordinates } from "../../datasets/index.ts";
import type { Candidates } from "./candidates.ts";
import { dropFragments, isCut } from "./fragments.ts";
import { createGroups } from "./groups.ts";
import type { Method, Objects } from "./method.ts";
import { type Neighbours, indexNeighbours } from "./neighbours.ts";
import { encloseNumbers, nmm } from "./nmm.ts";
import { nms } from "./nms.ts";
import type { MergeRules } from "./options.ts";
import { type Pairs, comparePairs } from "./pairs.ts";
import { softNms } from "./soft-nms.ts";
import { wbf } from "./wbf.ts";

const METHODS = { nms, "soft-nms": softNms, nmm, wbf } as const satisfies Record<string, Method>;

/** Objects from the highest score to the lowest. */
export function resolve(candidates: Candidates, rules: MergeRules): Detections<"scene"> {
  if (rules.method === "none") return gather(candidates, everyRow(candidates.count));
  const near = indexNeighbours(candidates);
  const pairs = comparePairs(candidates, rules);
  const found = METHODS[rules.method]({
    candidates,
    near,
    pairs,
    stays: dropFragments(candidates, near, rules),
    rules,
  });
  return gather(candidates, joinParts(candidates, found, near, pairs));
}

function everyRow(count: number): Objects {
  return { seeds: Array.from({ length: count }, (_, row) => row) };
}

/** Unites objects that are parts of one, each cut by its tile where the other goes on. */
function joinParts(c: Candidates, objects: Objects, near: Neighbours, pairs: Pairs): Objects {
  const { seeds } = objects;
  if (!seeds.some((seed) => isCut(c, seed))) return objects;
  const place = new Map(seeds.map((seed, at) => [seed, at]));
  const groups = createGroups(seeds.length);
  for (const [at, seed] of seeds.entries()) {
    if (!isCut(c, seed)) continue;
    near(seed, (other) => {
      const otherAt = place.get(other);
      if (otherAt !== undefined && otherAt > at && pairs.continues(seed, other)) {
        groups.unite(at, otherAt);
      }
    });
  }
  return unite(c, objects, groups.find);
}

/** One object for each group; of its best member the class and the score, round all members the box. */
function unite(c: Candidates, objects: Objects, groupOf: (at: number) => number): Objects {
  const members = new Map<number, number[]>();
  for (let at = 0; at < objects.seeds.length; at++) {
    const group = groupOf(at);
    const known = members.get(group);
    if (known === undefined) members.set(group, [at]);
    else known.push(at);
  }
  const groups = [...members.values()];
  const scoreAt = (at: number): number => objects.scores?.[at] ?? c.scores[objects.seeds[at]!]!;
  return {
    seeds: groups.map(([at]) => objects.seeds[at!]!),
    scores: groups.map((group) => Math.max(...group.map(scoreAt))),
    boxes: groups.map((group) =>
      group.length === 1
        ? objects.boxes?.[group[0]!]
        : encloseNumbers(group.map((at) => objects.boxes?.[at] ?? boxOf(c, objects.seeds[at]!))),
    ),
  };
}

function boxOf({ boxes }: Candidates, row: number): Float64Array {
  const width = stride(boxes);
  return coordinates(boxes).subarray(row * width, row * width + width);
}

/** Objects as columns, from the highest score to the lowest; equal scores keep the order of their seeds. */
function gather(c: Candidates, { seeds, scores, boxes }: Objects): Detections<"scene"> {
  const scoreAt = (at: number): number => scores?.[at] ?? c.scores[seeds[at]!]!;
  const order = seeds.map((_, at) => at);
  if (scores !== undefined) order.sort((a, b) => scoreAt(b) - scoreAt(a) || a - b);
  const width = stride(c.boxes);
  const numbers = new Float64Array(seeds.length * width);
  const columns = {
    scores: new Float32Array(seeds.length),
    classes: new Uint16Array(seeds.length),
  };
  for (const [to, at] of order.entries()) {
    numbers.set(boxes?.[at] ?? boxOf(c, seeds[at]!), to * width);
    columns.scores[to] = scoreAt(at);
    columns.classes[to] = c.classes[seeds[at]!]!;
  }
  return { count: seeds.length, boxes: withCoordinates(c.boxes, numbers), ...columns };
}
