/** Random labelled datasets. */
import fc from "fast-check";
import type { LabelledDataset, LabelledObject } from "../../../datasets/index.ts";
import { boxLabel, cornersLabel } from "../../../datasets/index.ts";

/** What a format can hold. */
export interface Holds {
  readonly upright: boolean;
  readonly oriented: boolean;
  readonly polygons: boolean;
  /** Whether an outline may have several rings. */
  readonly manyRings: boolean;
  readonly difficult: boolean;
  readonly crowd: boolean;
  readonly gsd: boolean;
  readonly labelledClasses: boolean;
}

const SIDE = 1000;
const coordinate = fc.integer({ min: 1, max: SIDE * 8 - 1 }).map((eighths) => eighths / 8);
const score = fc.option(
  fc.integer({ min: 0, max: 1000 }).map((value) => value / 1000),
  { nil: undefined },
);

/** Eighths of pixels: what survives the arithmetic of every format, so equality can be exact or nearly so. */
const box = fc
  .tuple(coordinate, coordinate, coordinate, coordinate)
  .filter(([a, b, c, d]) => Math.abs(a - c) > 1 && Math.abs(b - d) > 1)
  .map(([a, b, c, d]): LabelledObject["box"] => [
    Math.min(a, c),
    Math.min(b, d),
    Math.max(a, c),
    Math.max(b, d),
  ]);

/** A turned rectangle within the image, clockwise on the screen: half its sides are `(a, b)` and `k·(−b, a)`. */
const corners = fc
  .tuple(
    fc.integer({ min: 400, max: 600 }),
    fc.integer({ min: 400, max: 600 }),
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: 100 }),
    fc.constantFrom(0.25, 0.5, 1, 2),
  )
  .map(([x, y, a, b, k]) => {
    const [u, v] = [-k * b, k * a];
    return [x - a - u, y - b - v, x + a - u, y + b - v, x + a + u, y + b + v, x - a + u, y - b + v];
  });

const ring = fc
  .array(fc.tuple(coordinate, coordinate), { minLength: 5, maxLength: 8 })
  .map((points) =>
    // Around the centre: a star-shaped ring, clockwise on the screen, so never crossed.
    points
      .map(([x, y]): [number, number] => [x + (x === SIDE / 2 ? 1 : 0), y])
      .toSorted(([a, b], [c, d]) => Math.atan2(b - 500, a - 500) - Math.atan2(d - 500, c - 500))
      .flat(),
  );

function object(classes: number, holds: Holds): fc.Arbitrary<LabelledObject> {
  const classIndex = fc.integer({ min: 0, max: classes - 1 });
  const flags = fc.record({
    difficult: holds.difficult ? fc.boolean() : fc.constant(false),
    crowd: holds.crowd ? fc.boolean() : fc.constant(false),
    score,
  });
  const rings = fc.array(ring, { minLength: 1, maxLength: holds.manyRings ? 3 : 1 });
  return fc.oneof(
    ...(holds.upright
      ? [fc.tuple(classIndex, box, flags).map(([i, b, rest]) => boxLabel(i, b, rest))]
      : []),
    ...(holds.oriented
      ? [fc.tuple(classIndex, corners, flags).map(([i, c, rest]) => cornersLabel(i, c, rest))]
      : []),
    ...(holds.polygons
      ? [
          fc.tuple(classIndex, rings, flags).map(([i, polygon, rest]) => ({
            ...cornersLabel(i, polygon.flat(), rest),
            corners: undefined,
            polygon,
          })),
        ]
      : []),
  );
}

/** Every class occurs, in order, in the first image: formats without a class table then give the same numbers. */
export function dataset(holds: Holds): fc.Arbitrary<LabelledDataset> {
  const names = ["plane", "large-vehicle", 'a<b>&"c"', "Schiff-ß"];
  return fc.integer({ min: 1, max: names.length }).chain((count) => {
    const objects = fc.array(object(count, holds), { maxLength: 6 });
    const all = fc.tuple(
      ...Array.from({ length: count }, (_, i) =>
        object(count, holds).map((each) => ({ ...each, classIndex: i })),
      ),
    );
    const labelled = fc.option(fc.subarray(Array.from({ length: count }, (_, i) => i)), {
      nil: undefined,
    });
    const image = fc.record({
      width: fc.constant(SIDE),
      height: fc.constant(SIDE),
      gsdM: holds.gsd
        ? fc.option(fc.double({ min: 0.01, max: 30, noNaN: true }), { nil: undefined })
        : fc.constant(undefined),
      labelledClasses: holds.labelledClasses ? labelled : fc.constant(undefined),
      objects,
    });
    return fc
      .tuple(all, fc.array(image, { minLength: 1, maxLength: 4 }))
      .map(([first, images]) => ({
        classes: names.slice(0, count),
        images: images.map((each, i) => ({
          ...each,
          file: `folder/image ${i}.png`,
          id: undefined,
          objects: i === 0 ? [...first, ...each.objects] : each.objects,
        })),
      }));
  });
}
