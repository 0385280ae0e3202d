/** Aeroplanes by their proportions. */
import type { Colour } from "../canvas.ts";

export interface PlaneType {
  readonly weight: number;
  readonly lengthM: readonly [number, number];
  /** Span, fuselage, and the wing's chord at its root over the length. */
  readonly span: readonly [number, number];
  readonly body: number;
  readonly chord: number;
  /** How far the wing's tip lies behind its root, over half the span. */
  readonly sweep: readonly [number, number];
  /** On each wing; −1: at the tail. */
  readonly engines: 0 | 1 | 2 | -1;
  readonly paints: readonly [Colour, ...Colour[]];
}

const WHITES: readonly [Colour, ...Colour[]] = [
  [238, 240, 242],
  [226, 228, 230],
  [246, 246, 244],
  [205, 210, 215],
];
export const GREYS: readonly [Colour, ...Colour[]] = [
  [128, 134, 138],
  [105, 110, 112],
  [150, 152, 148],
  [98, 104, 90],
];

export const PLANE_TYPES: readonly [PlaneType, ...PlaneType[]] = [
  {
    weight: 4,
    lengthM: [30, 45],
    span: [0.86, 1.0],
    body: 0.1,
    chord: 0.19,
    sweep: [0.42, 0.55],
    engines: 1,
    paints: WHITES,
  },
  {
    weight: 2,
    lengthM: [55, 74],
    span: [0.88, 0.98],
    body: 0.088,
    chord: 0.18,
    sweep: [0.55, 0.68],
    engines: 1,
    paints: WHITES,
  },
  {
    weight: 0.7,
    lengthM: [64, 76],
    span: [0.86, 1.08],
    body: 0.095,
    chord: 0.21,
    sweep: [0.6, 0.72],
    engines: 2,
    paints: WHITES,
  },
  {
    weight: 1.6,
    lengthM: [22, 33],
    span: [0.85, 1.05],
    body: 0.1,
    chord: 0.12,
    sweep: [0.04, 0.12],
    engines: 1,
    paints: WHITES,
  },
  {
    weight: 2,
    lengthM: [14, 26],
    span: [0.8, 1.0],
    body: 0.11,
    chord: 0.17,
    sweep: [0.35, 0.5],
    engines: -1,
    paints: WHITES,
  },
  {
    weight: 2.6,
    lengthM: [7, 10],
    span: [1.25, 1.45],
    body: 0.13,
    chord: 0.19,
    sweep: [-0.02, 0.05],
    engines: 0,
    paints: WHITES,
  },
  {
    weight: 1.2,
    lengthM: [15, 20],
    span: [0.6, 0.7],
    body: 0.13,
    chord: 0.42,
    sweep: [0.7, 1.0],
    engines: 0,
    paints: GREYS,
  },
  {
    weight: 0.8,
    lengthM: [30, 53],
    span: [0.98, 1.3],
    body: 0.11,
    chord: 0.14,
    sweep: [0.05, 0.3],
    engines: 2,
    paints: GREYS,
  },
];
