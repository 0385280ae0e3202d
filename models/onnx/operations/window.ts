/** The geometry of windows that slide over a map, shared by convolutions and pools. */
import { ShapeError } from "../../../attention/index.ts";
import { input, list } from "./operation.ts";
import type { Site } from "./operation.ts";

/** One direction of a window. */
export interface Span {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Both directions, rows first.
 *
 * @throws {ShapeError} where the padding is left to the runtime, or the map has other axes.
 */
export function spans(site: Site, kernel: readonly number[]): readonly [Span, Span] {
  const { shape } = input(site, 0);
  if (shape.length !== 4 || kernel.length !== 2) {
    throw new ShapeError(
      `${site.op}: x must be [B C Y X] and the window [Y X], received [${shape.join(" ")}] and [${kernel.join(" ")}]`,
    );
  }
  const automatic = site.attributes["auto_pad"] ?? "NOTSET";
  if (automatic !== "NOTSET") {
    throw new ShapeError(
      `${site.op}: the padding must be said, received auto_pad ${String(automatic)}`,
    );
  }
  const [strides, dilations] = [list(site, "strides", [1, 1]), list(site, "dilations", [1, 1])];
  const pads = list(site, "pads", [0, 0, 0, 0]);
  const span = (i: 0 | 1): Span => ({
    size: shape[i + 2] ?? 0,
    kernel: kernel[i] ?? 0,
    stride: strides[i] ?? 1,
    dilation: dilations[i] ?? 1,
    before: pads[i] ?? 0,
    after: pads[i + 2] ?? 0,
  });
  return [span(0), span(1)];
}

/** Pixels that a window covers from its first to its last tap. */
export const reach = (s: Span): number => s.dilation * (s.kernel - 1) + 1;

/** How often a window fits; with `beyond`, also where it begins on the map and reaches beyond what follows it. */
export function steps(op: string, axis: "Y" | "X", s: Span, beyond = false): number {
  const room = s.size + s.before + s.after - reach(s);
  if (room < 0) {
    throw new ShapeError(
      `${op}: the window must fit along ${axis}, received ${reach(s)} for ${s.size} + ${s.before} + ${s.after} pixels`,
    );
  }
  const inside = Math.floor(room / s.stride) + 1;
  return beyond && room % s.stride > 0 && inside * s.stride < s.size + s.before
    ? inside + 1
    : inside;
}
