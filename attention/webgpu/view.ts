/**
 * Views: tensors read in another order than they are stored in, without a copy.
 *
 * A view is a shape and a chain of stages; each stage takes a row-major index apart into digits and weighs them
 * anew. Transposing, cutting, repeating, rolling and cutting into windows are stages, reshaping is none; shaders
 * read through them ({@link indexCode}), so that none of these ever runs by itself.
 */
import { strides, volume } from "../tensor.ts";

/** A digit of an index: `((i + roll) mod size) · stride`. Strides may be 0 (repeats) and negative. */
export interface Digit {
  readonly size: number;
  readonly stride: number;
  /** @default 0 */
  readonly roll?: number;
}

export interface Stage {
  readonly offset: number;
  /** Outermost first. */
  readonly digits: readonly Digit[];
}

export interface View {
  readonly shape: readonly number[];
  /** In the order they are applied to an index of `shape`. */
  readonly stages: readonly Stage[];
}

/** A tensor as it is stored. */
export const whole = (shape: readonly number[]): View => ({ shape, stages: [] });

/** A view that digits describe: negative strides and offsets are allowed. */
export const viewOf = (shape: readonly number[], stage: Stage): View => ({
  shape,
  stages: simple([neat(stage)]),
});

export const isWhole = (view: View): boolean => view.stages.length === 0;

export const reshaped = (view: View, shape: readonly number[]): View => ({ ...view, shape });

export function transposed(view: View, order: readonly number[]): View {
  const step = strides(view.shape);
  const digits = order.map((axis) => ({ size: view.shape[axis] ?? 1, stride: step[axis] ?? 0 }));
  return before(
    view,
    digits.map(({ size }) => size),
    digits.map((digit) => ({ ...digit, start: 0 })),
  );
}

/** Every `step`th place from `start` of one axis, `size` of them. */
export function sliced(view: View, axis: number, start: number, size: number, step = 1): View {
  const own = strides(view.shape);
  const shape = view.shape.with(axis, size);
  const cuts = shape.map((length, a) => {
    const stride = own[a] ?? 0;
    return a === axis
      ? { size: length, stride: stride * step, start: start * stride }
      : { size: length, stride, start: 0 };
  });
  return before(view, shape, cuts);
}

/** Axes of length 1, and axes that `view` lacks in front, repeated. */
export function broadcast(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.shape.length;
  const step = strides(view.shape);
  const cuts = shape.map((size, axis) => {
    const same = view.shape[axis - missing] === size;
    return { size, stride: same ? (step[axis - missing] ?? 0) : 0, start: 0 };
  });
  return before(view, shape, cuts);
}

/** Place `i` of an axis is what was at `i + by`, around the rim. */
export function rolled(view: View, axis: number, by: number): View {
  const step = strides(view.shape);
  const digits = view.shape.map((size, a) => ({
    size,
    stride: step[a] ?? 0,
    roll: a === axis ? ((by % size) + size) % size : 0,
  }));
  return { shape: view.shape, stages: simple([neat({ offset: 0, digits }), ...view.stages]) };
}

/** A digit that begins at a place of its own (in strides of the index it makes). */
interface Cut extends Digit {
  readonly start: number;
}

/** The view that reads `view` at the index which `cuts` make; joined with its first stage where that is possible. */
function before(view: View, shape: readonly number[], cuts: readonly Cut[]): View {
  const [inner, ...rest] = view.stages;
  const joined = inner && join(cuts, inner);
  if (joined) return { shape, stages: simple([joined, ...rest]) };
  const offset = cuts.reduce((sum, { start }) => sum + start, 0);
  return { shape, stages: simple([neat({ offset, digits: cuts }), ...view.stages]) };
}

/** One stage in place of two, where every outer digit falls into digits of the inner one. */
function join(outer: readonly Cut[], inner: Stage): Stage | undefined {
  const weights = strides(inner.digits.map(({ size }) => size));
  const digits: Digit[] = [];
  let { offset } = inner;
  for (const cut of outer) {
    const pieces = piecesOf(cut, inner.digits, weights);
    if (pieces === undefined) return undefined;
    offset += pieces.offset;
    digits.push(...pieces.digits);
  }
  return neat({ offset, digits });
}

function piecesOf(cut: Cut, inner: readonly Digit[], weights: readonly number[]) {
  let { size, stride } = cut;
  const digits: Digit[] = [];
  if (size === 1 && cut.start === 0) return { offset: 0, digits };
  if (stride === 0) return { offset: 0, digits: [{ size, stride }] };
  while (size > 1 || digits.length === 0) {
    const at = inner.findIndex((d, j) => weights[j]! <= stride && stride < weights[j]! * d.size);
    const [digit, weight] = [inner[at], weights[at]];
    if (digit === undefined || weight === undefined || digit.roll) return undefined;
    const step = stride / weight;
    const room = digit.size / step;
    if (!Number.isInteger(step)) return undefined;
    if (cut.start !== 0) {
      const start = cut.start / weight;
      if (!Number.isInteger(start) || start + (size - 1) * step >= digit.size) return undefined;
      const offset = start * digit.stride;
      return { offset, digits: [{ size, stride: step * digit.stride }] };
    }
    if (!Number.isInteger(room)) return undefined;
    const part = Math.min(size, room);
    if (size % part !== 0) return undefined;
    digits.unshift({ size: part, stride: step * digit.stride });
    size /= part;
    stride = weight * digit.size;
  }
  return { offset: 0, digits };
}

/** Without digits of one value, and with neighbours that count on as one. */
function neat({ offset, digits }: Stage): Stage {
  const out: Digit[] = [];
  for (const { size, stride, roll = 0 } of digits) {
    if (size === 1) continue;
    const last = out.at(-1);
    if (last && !last.roll && roll === 0 && last.stride === stride * size) {
      out[out.length - 1] = { size: last.size * size, stride };
    } else out.push(roll === 0 ? { size, stride } : { size, stride, roll });
  }
  return { offset, digits: out };
}

/** Without stages that change nothing. */
const simple = (stages: readonly Stage[]): readonly Stage[] =>
  stages.filter(
    ({ offset, digits }) =>
      offset !== 0 ||
      digits.length > 1 ||
      digits.some(({ stride, roll }) => stride !== 1 || roll !== undefined),
  );

/** WGSL statements that turn the index `at` (u32) into the place where the value is stored. */
export function indexCode(view: View): string {
  return view.stages.map(({ offset, digits }) => stageCode(offset, digits)).join("\n");
}

function stageCode(offset: number, digits: readonly Digit[]): string {
  if (digits.length === 0) return `  at = ${offset}u;`;
  const lines: string[] = [`  { var rest = i32(at); var to = ${offset};`];
  for (const [i, { size, stride, roll = 0 }] of [...digits.entries()].reverse()) {
    const digit = i === 0 ? "rest" : `(rest % ${size})`;
    const turned = roll === 0 ? digit : `((${digit} + ${roll}) % ${size})`;
    if (stride !== 0) lines.push(`    to += ${turned} * ${stride};`);
    if (i > 0) lines.push(`    rest /= ${size};`);
  }
  return [...lines, "    at = u32(to); }"].join("\n");
}

/** Where the value at an index of the view is stored: what {@link indexCode} computes, in plain numbers. */
export function placeOf(view: View, at: number): number {
  let index = at;
  for (const { offset, digits } of view.stages) {
    const step = strides(digits.map(({ size }) => size));
    index = digits.reduce((sum, { size, stride, roll = 0 }, i) => {
      const digit = Math.floor(index / (step[i] ?? 1)) % size;
      return sum + ((digit + roll) % size) * stride;
    }, offset);
  }
  return index;
}

export const lengthOf = ({ shape }: View): number => volume(shape);
