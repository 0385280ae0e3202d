import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  broadcast,
  placeOf,
  reshaped,
  rolled,
  sliced,
  strides,
  transposed,
  volume,
  whole,
} from "../../../attention/index.ts";
import type { View } from "../../../attention/index.ts";

/** A view, and the same moves made on an array of the places themselves. */
interface Moved {
  readonly view: View;
  readonly places: readonly number[];
}

const at = (shape: readonly number[], i: number) =>
  strides(shape).map((step, axis) => Math.floor(i / step) % shape[axis]!);
const index = (shape: readonly number[], place: readonly number[]) =>
  strides(shape).reduce((sum, step, axis) => sum + step * place[axis]!, 0);

/** Picks out of `from` for every index of `shape`. */
const picked = (
  { view, places }: Moved,
  shape: readonly number[],
  source: (place: readonly number[]) => readonly number[],
) =>
  Array.from({ length: volume(shape) }, (_, i) => {
    return places[index(view.shape, source(at(shape, i)))]!;
  });

const MOVES: Readonly<Record<string, (x: Moved, by: number) => Moved>> = {
  transpose(x, by) {
    const order = x.view.shape.map((_, axis) => (axis + by) % x.view.shape.length);
    const shape = order.map((axis) => x.view.shape[axis]!);
    const places = picked(x, shape, (place) => order.map((_, axis) => place[order.indexOf(axis)]!));
    return { view: transposed(x.view, order), places };
  },
  slice(x, by) {
    const axis = by % x.view.shape.length;
    const start = by % x.view.shape[axis]!;
    const size = x.view.shape[axis]! - start;
    const places = picked(x, x.view.shape.with(axis, size), (place) =>
      place.with(axis, place[axis]! + start),
    );
    return { view: sliced(x.view, axis, start, size), places };
  },
  roll(x, by) {
    const axis = by % x.view.shape.length;
    const size = x.view.shape[axis]!;
    const places = picked(x, x.view.shape, (place) => place.with(axis, (place[axis]! + by) % size));
    return { view: rolled(x.view, axis, by), places };
  },
  split(x, by) {
    const axis = by % x.view.shape.length;
    const size = x.view.shape[axis]!;
    const low = [2, 3, 1].find((d) => size % d === 0)!;
    return { ...x, view: reshaped(x.view, x.view.shape.toSpliced(axis, 1, size / low, low)) };
  },
  merge(x, by) {
    const axis = by % x.view.shape.length;
    const [p, q = 1] = x.view.shape.slice(axis);
    return { ...x, view: reshaped(x.view, x.view.shape.toSpliced(axis, 2, p! * q)) };
  },
  repeat(x) {
    const shape = [2, ...x.view.shape];
    return { view: broadcast(x.view, shape), places: [...x.places, ...x.places] };
  },
};

const moves = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(MOVES)), fc.integer({ min: 0, max: 5 })),
  { maxLength: 7 },
);

prop.prop([moves], { numRuns: 300 })("any chain of moves reads what copies would", (chain) => {
  const shape = [4, 6, 3];
  const start: Moved = { view: whole(shape), places: Array.from({ length: 72 }, (_, i) => i) };
  const end = chain.reduce((x, [name, by]) => MOVES[name]!(x, by), start);
  expect(volume(end.view.shape)).toBe(end.places.length);
  expect(end.places.map((_, i) => placeOf(end.view, i))).toEqual(end.places);
});

test("cutting into windows and back again needs no index at all", () => {
  const cut = reshaped(whole([1, 8, 8, 3]), [1, 2, 4, 2, 4, 3]);
  const windows = reshaped(transposed(cut, [0, 1, 3, 2, 4, 5]), [4, 16, 3]);
  expect(windows.stages).toHaveLength(1);
  const apart = reshaped(windows, [1, 2, 2, 4, 4, 3]);
  expect(transposed(apart, [0, 1, 3, 2, 4, 5]).stages).toEqual([]);
});
