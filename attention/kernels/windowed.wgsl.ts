/**
 * Attention in windows, plain or shifted, with relative position bias, as one dispatch.
 *
 * Tokens stay where they are: rolling the grid, cutting it into windows, taking heads apart and undoing all of it
 * are views of queries, keys, values and results; the bias is a view of its table. Pairs that the roll brings
 * together get −100, from where their tokens lie.
 *
 * Liu et al., "Swin Transformer", 2021, §3.2. arXiv:2103.14030
 */
import { ShapeError } from "../shape.ts";
import { reshaped, rolled, sliced, transposed, viewOf } from "../webgpu/view.ts";
import type { View } from "../webgpu/view.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { flash } from "./flash.wgsl.ts";

export interface WindowedOperands {
  /** `[B N 3HD]`: queries, keys and values of every token, as one projection gives them. */
  readonly qkv: Operand;
  /** `[(2P − 1)², H]` for windows of side P. */
  readonly table?: Operand | undefined;
}

export interface WindowedSizes {
  readonly rows: number;
  readonly columns: number;
  /** Side of a window, in tokens; divides both. */
  readonly size: number;
  readonly heads: number;
  /** How far windows are shifted. @default 0 */
  readonly shift?: number;
}

/** Writes `out [B N HD]`. */
export function windowedAttention(
  out: string,
  { qkv, table }: WindowedOperands,
  sizes: WindowedSizes,
): Step {
  const { rows, columns, size, heads, shift = 0 } = sizes;
  const [B = 0, , C = 0] = qkv.view.shape;
  const D = C / heads / 3;
  if (!Number.isInteger(D) || rows % size !== 0 || columns % size !== 0) {
    throw new ShapeError(
      `windowedAttention: windows of ${size} must divide ${rows} × ${columns} and ${heads} heads the channels, received ${C}`,
    );
  }
  const third = (i: number): Operand => ({
    from: qkv.from,
    view: inWindows(sliced(qkv.view, 2, i * heads * D, heads * D), sizes),
  });
  const place = inWindows({ shape: [B, rows * columns, heads * D], stages: [] }, sizes);
  const step = flash(
    out,
    {
      q: third(0),
      k: third(1),
      v: third(2),
      bias: table && { from: table.from, view: relative(heads, size) },
    },
    { place, ...(shift > 0 && { plus: `apart(b, n, m)` }) },
  );
  return shift > 0 ? { ...step, code: apartCode({ ...sizes, shift }) + step.code } : step;
}

/** Tokens `[B N HD]` of a grid as `[(B R W) H (P Q) D]`. */
function inWindows(tokens: View, { rows, columns, size, heads, shift = 0 }: WindowedSizes): View {
  const [B = 0, , C = 0] = tokens.shape;
  const map = reshaped(tokens, [B, rows, columns, C]);
  const turned = rolled(rolled(map, 1, shift), 2, shift);
  const [R, W] = [rows / size, columns / size];
  const apart = reshaped(turned, [B, R, size, W, size, heads, C / heads]);
  const windows = transposed(apart, [0, 1, 3, 5, 2, 4, 6]);
  return reshaped(windows, [B * R * W, heads, size * size, C / heads]);
}

/** The table as `[1 H N N]`: the row of a pair falls with the place of its key. */
function relative(heads: number, size: number): View {
  const [down, across] = [heads * (2 * size - 1), heads];
  return viewOf([1, heads, size ** 2, size ** 2], {
    offset: (size - 1) * (down + across),
    digits: [
      { size: heads, stride: 1 },
      { size, stride: down },
      { size, stride: across },
      { size, stride: -down },
      { size, stride: -across },
    ],
  });
}

/** −100 between tokens of different regions of the rolled grid. */
const apartCode = ({ rows, columns, size, shift = 0 }: WindowedSizes): string => /* wgsl */ `
fn region(b: u32, n: u32) -> vec2u {
  let window = b % ${(rows / size) * (columns / size)}u;
  let y = window / ${columns / size}u * ${size}u + n / ${size}u;
  let x = window % ${columns / size}u * ${size}u + n % ${size}u;
  return vec2u(
    select(0u, 1u, y >= ${rows - size}u) + select(0u, 1u, y >= ${rows - shift}u),
    select(0u, 1u, x >= ${columns - size}u) + select(0u, 1u, x >= ${columns - shift}u),
  );
}
fn apart(b: u32, n: u32, m: u32) -> f32 {
  return select(-100.0, 0.0, all(region(b, n) == region(b, m)));
}`;
