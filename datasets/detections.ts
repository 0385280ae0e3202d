/** Detections as columns: row `i` of every column speaks of the same object. */
import type { Boxes, Frame } from "./boxes.ts";

export interface Detections<F extends Frame> {
  readonly count: number;
  readonly boxes: Boxes<F>;
  /** In 0…1. */
  readonly scores: Float32Array;
  /** Index into the model's list of classes. */
  readonly classes: Uint16Array;
}
