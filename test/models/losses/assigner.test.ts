import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { tensor } from "../../../attention/index.ts";
import { assign } from "../../../models/losses/assigner.ts";
import type { BoxKind } from "../../../models/losses/box-kind.ts";
import { oriented } from "../../../models/losses/oriented.ts";
import { UPRIGHT } from "../../../models/losses/upright.ts";
import { eager } from "../../eager.ts";
import { probIou } from "./prob-iou.ts";

const STRIDE = 8;
const SIDE = 6;
const N = SIDE * SIDE;
const K = 2;
const TOP = 4;
/** `x y w h θ`. */
type Box = readonly [x: number, y: number, w: number, h: number, angle: number];

/** The two ways to hold boxes against each other, in plain loops. */
interface Ruler {
  readonly kind: BoxKind;
  readonly overlap: (a: Box, b: Box) => number;
  /** The box that float32 numbers hold. */
  readonly single: (box: Box) => Box;
  /** As the training graph takes it, and as the head gives it. */
  readonly labelled: (box: Box) => readonly number[];
  readonly predicted: (box: Box) => readonly number[];
  readonly angle: fc.Arbitrary<number>;
}

const sides = ([x, y, w, h]: Box): readonly [number, number, number, number] => [
  x - w / 2,
  y - h / 2,
  x + w / 2,
  y + h / 2,
];

function iou(one: Box, other: Box): number {
  const [a, b] = [sides(one), sides(other)];
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  return (width * height) / (one[2] * one[3] + other[2] * other[3] - width * height + 1e-7);
}

const RULERS: Readonly<Record<string, Ruler>> = {
  upright: {
    kind: UPRIGHT,
    overlap: iou,
    single: (box) => {
      const [x1, y1, x2, y2] = Float32Array.from(sides(box)) as unknown as ReturnType<typeof sides>; // four still
      return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0];
    },
    labelled: sides,
    predicted: sides,
    angle: fc.constant(0),
  },
  oriented: {
    kind: oriented(),
    overlap: probIou,
    single: (box) => Float32Array.from(box) as unknown as Box, // five still
    labelled: (box) => [...box],
    predicted: ([x, y, w, h, angle]) => [x, y, w, h, Math.cos(2 * angle), Math.sin(2 * angle)],
    angle: fc.double({ min: -1.57, max: 1.57, noNaN: true }),
  },
};

const point = (n: number): readonly [number, number] => [
  ((n % SIDE) + 0.5) * STRIDE,
  (Math.floor(n / SIDE) + 0.5) * STRIDE,
];

/** Whether a point lies in the box, or in one that reaches a stride from the centre where the box does not. */
function isNear([x, y, w, h, angle]: Box, n: number): boolean {
  const [px, py] = point(n);
  const along = (px - x) * Math.cos(angle) + (py - y) * Math.sin(angle);
  const across = (py - y) * Math.cos(angle) - (px - x) * Math.sin(angle);
  return Math.abs(along) < Math.max(w / 2, STRIDE) && Math.abs(across) < Math.max(h / 2, STRIDE);
}

/** The paper's rule in plain loops: the point each object takes, and its soft target. */
function expected(
  overlap: Ruler["overlap"],
  boxes: readonly Box[],
  classes: readonly number[],
  predicted: readonly Box[],
  scores: readonly number[][],
) {
  const aligned = boxes.map((box, g) =>
    predicted.map((own, n) => {
      if (!isNear(box, n)) return 0;
      return ((scores[n]?.[classes[g] ?? 0] ?? 0) + 1e-9) ** 0.5 * overlap(box, own) ** 6;
    }),
  );
  const wanted = aligned.map((row) => {
    const least = row.toSorted((a, b) => b - a)[TOP - 1] ?? 0;
    return row.map((t) => t >= least && t > 1e-9);
  });
  const owner = predicted.map((own, n) => {
    const claims = boxes.map((box, g) => (wanted[g]?.[n] ? overlap(box, own) : 0));
    const best = Math.max(...claims);
    return best > 0 ? claims.indexOf(best) : -1;
  });
  const weight = predicted.map((_, n) => {
    const g = owner[n] ?? -1;
    if (g < 0) return 0;
    const mine = predicted.map((_p, m) => m).filter((m) => owner[m] === g);
    const top = Math.max(...mine.map((m) => aligned[g]?.[m] ?? 0)) + 1e-9;
    const best = Math.max(...mine.map((m) => overlap(boxes[g] as Box, predicted[m] as Box)));
    return ((aligned[g]?.[n] ?? 0) * best) / top;
  });
  return { owner, weight };
}

const within = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** What the rule gives: the head's boxes lie at the points. */
function given(
  { kind, labelled, predicted }: Ruler,
  boxes: readonly Box[],
  classes: readonly number[],
  own: readonly Box[],
  scores: Float32Array,
) {
  const { graph: g, put, doubles } = eager(() => new Float32Array());
  const G = boxes.length + 1; // the last row is padding
  const F = kind.columns;
  const targets = new Float32Array(G * F);
  targets.set(boxes.flatMap(labelled));
  const oneHot = new Float32Array(G * K);
  classes.forEach((k, i) => (oneHot[i * K + k] = 1));
  const numbers = Float32Array.from(own.flatMap(predicted));
  const column = (of: (n: number) => number) =>
    put(
      tensor(
        "N A",
        [N, 1],
        Float32Array.from({ length: N }, (_, n) => of(n)),
      ),
    );
  const assigned = assign(
    g,
    kind,
    {
      scores: put(tensor("B N K", [1, N, K], scores)),
      boxes: put(tensor("B N F", [1, N, numbers.length / N], numbers)),
    },
    {
      boxes: kind.rows(g, put(tensor("B G F", [1, G, F], targets))),
      classes: put(tensor("B G K", [1, G, K], oneHot)),
    },
    { x: column((n) => point(n)[0]), y: column((n) => point(n)[1]), stride: column(() => STRIDE) },
    { topK: TOP },
  );
  return {
    weight: doubles(assigned.weight),
    boxes: doubles(assigned.boxes),
    scores: doubles(assigned.scores),
  };
}

describe.each(Object.entries(RULERS))("%s boxes", (_, ruler) => {
  const { overlap, single, labelled, angle } = ruler;
  test.prop([
    fc.array(
      fc.tuple(
        fc.tuple(within(4, 44), within(4, 44), within(3, 24), within(3, 14), angle),
        fc.nat(K - 1),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    fc.array(within(0.01, 0.99), { minLength: N * K, maxLength: N * K }),
    fc.array(fc.tuple(within(2, 16), within(2, 16), angle), { minLength: N, maxLength: N }),
  ])("points go to the objects that the paper's rule gives them to", (objects, flat, shapes) => {
    const boxes = objects.map(([b]) => single(b));
    const classes = objects.map(([, k]) => k);
    const own = shapes.map(([w, h, a], n) => single([...point(n), w, h, a]));
    const scores = shapes.map((__, n) => [...Float32Array.from(flat.slice(n * K, (n + 1) * K))]);

    const found = given(ruler, boxes, classes, own, Float32Array.from(flat));
    const want = expected(overlap, boxes, classes, own, scores);
    want.weight.forEach((w, n) => expect(found.weight[n]).toBeCloseTo(w, 4));
    const target = found.boxes;
    want.owner.forEach((owner, n) => {
      const third = owner < 0 ? 0 : (labelled(boxes[owner] as Box)[2] ?? Number.NaN);
      expect(target[n * (target.length / N) + 2]).toBeCloseTo(third, 3);
    });
  });

  test("an object that is labelled twice is an object", () => {
    const box: Box = [22, 20, 14, 10, 0];
    const own = Array.from({ length: N }, (__, n): Box => single([...point(n), 12, 9, 0]));
    const scores = Float32Array.from(
      { length: N * K },
      (__, i) => 0.2 + 0.6 * Math.abs(Math.sin(i)),
    );
    const once = given(ruler, [box], [1], own, scores);
    const twice = given(ruler, [box, box], [1, 1], own, scores);
    expect(Math.max(...once.weight)).toBeGreaterThan(0.2);
    expect(twice).toEqual(once);
  });
});
