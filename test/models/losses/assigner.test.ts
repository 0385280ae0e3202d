import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { tensor } from "../../../attention/index.ts";
import { assign } from "../../../models/losses/assigner.ts";
import { eager } from "../../eager.ts";

const STRIDE = 8;
const SIDE = 6;
const N = SIDE * SIDE;
const K = 2;
const TOP = 4;
type Box = readonly [number, number, number, number];

const point = (n: number): readonly [number, number] => [
  ((n % SIDE) + 0.5) * STRIDE,
  (Math.floor(n / SIDE) + 0.5) * STRIDE,
];
const iou = (a: Box, b: Box): number => {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = (x: Box): number => (x[2] - x[0]) * (x[3] - x[1]);
  return (width * height) / (area(a) + area(b) - width * height + 1e-7);
};

/** The paper's rule in plain loops: the point each object takes, and its soft target. */
function expected(
  boxes: readonly Box[],
  classes: readonly number[],
  predicted: readonly Box[],
  scores: readonly number[][],
) {
  const aligned = boxes.map((box, g) =>
    predicted.map((own, n) => {
      const [x, y] = point(n);
      const near = (low: number, high: number, at: number): boolean =>
        Math.abs((low + high) / 2 - at) < Math.max((high - low) / 2, STRIDE);
      if (!near(box[0], box[2], x) || !near(box[1], box[3], y)) return 0;
      return ((scores[n]?.[classes[g] ?? 0] ?? 0) + 1e-9) ** 0.5 * iou(box, own) ** 6;
    }),
  );
  const wanted = aligned.map((row) => {
    const least = row.toSorted((a, b) => b - a)[TOP - 1] ?? 0;
    return row.map((t) => t >= least && t > 1e-9);
  });
  const owner = predicted.map((own, n) => {
    const claims = boxes.map((box, g) => (wanted[g]?.[n] ? iou(box, own) : 0));
    const best = Math.max(...claims);
    return best > 0 ? claims.indexOf(best) : -1;
  });
  const weight = predicted.map((_, n) => {
    const g = owner[n] ?? -1;
    if (g < 0) return 0;
    const mine = predicted.map((_p, m) => m).filter((m) => owner[m] === g);
    const top = Math.max(...mine.map((m) => aligned[g]?.[m] ?? 0)) + 1e-9;
    const best = Math.max(...mine.map((m) => iou(boxes[g] as Box, predicted[m] as Box)));
    return ((aligned[g]?.[n] ?? 0) * best) / top;
  });
  return { owner, weight };
}

const box = fc
  .tuple(
    fc.double({ min: 2, max: 34, noNaN: true }),
    fc.double({ min: 2, max: 34, noNaN: true }),
    fc.double({ min: 3, max: 14, noNaN: true }),
    fc.double({ min: 3, max: 14, noNaN: true }),
  )
  .map(([x, y, w, h]): Box => [x, y, x + w, y + h]);

test.prop([
  fc.array(fc.tuple(box, fc.nat(K - 1)), { minLength: 1, maxLength: 4 }),
  fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), {
    minLength: N * K,
    maxLength: N * K,
  }),
  fc.array(fc.double({ min: 2, max: 16, noNaN: true }), { minLength: N, maxLength: N }),
])("points go to the objects that the paper's rule gives them to", (objects, flat, sizes) => {
  const boxes = objects.map(([b]) => b);
  const classes = objects.map(([, k]) => k);
  const predicted = sizes.map((s, n): Box => {
    const [x, y] = point(n);
    return [x - s / 2, y - s / 2, x + s / 2, y + s / 2];
  });
  const scores = predicted.map((_, n) => flat.slice(n * K, (n + 1) * K));
  const rounded = (values: readonly number[]): Float32Array => Float32Array.from(values);

  const { graph: g, put, doubles } = eager(() => new Float32Array());
  const G = objects.length + 1; // the last row is padding
  const oneHot = new Float32Array(G * K);
  classes.forEach((k, i) => (oneHot[i * K + k] = 1));
  const column = (of: (n: number) => number) =>
    put(
      tensor(
        "N A",
        [N, 1],
        Float32Array.from({ length: N }, (_, n) => of(n)),
      ),
    );
  const given = assign(
    g,
    {
      scores: put(tensor("B N K", [1, N, K], rounded(flat))),
      boxes: put(tensor("B N F", [1, N, 4], rounded(predicted.flat()))),
    },
    {
      boxes: put(tensor("B G F", [1, G, 4], rounded([...boxes.flat(), 0, 0, 0, 0]))),
      classes: put(tensor("B G K", [1, G, K], oneHot)),
      labelled: put(tensor("B A K", [1, 1, K], new Float32Array(K).fill(1))),
    },
    { x: column((n) => point(n)[0]), y: column((n) => point(n)[1]), stride: column(() => STRIDE) },
    { topK: TOP },
  );
  const single = (b: Box): Box => rounded([...b]) as unknown as Box;
  const want = expected(
    boxes.map(single),
    classes,
    predicted.map(single),
    scores.map((row) => [...rounded(row)]),
  );
  const weight = doubles(given.weight);
  want.weight.forEach((w, n) => expect(weight[n]).toBeCloseTo(w, 4));
  const target = doubles(given.boxes);
  want.owner.forEach((owner, n) => {
    if (owner >= 0) expect(target[4 * n + 2]).toBeCloseTo(single(boxes[owner] as Box)[2], 3);
    else expect(target[4 * n + 2]).toBe(0);
  });
});
