/** The contract of a merging method. */
import type { Candidates } from "./candidates.ts";
import type { Neighbours } from "./neighbours.ts";
import type { MergeRules } from "./options.ts";
import type { Pairs } from "./pairs.ts";

export interface Question {
  /** In rank order. */
  readonly candidates: Candidates;
  readonly near: Neighbours;
  readonly pairs: Pairs;
  /** 1 for each row that takes part. */
  readonly stays: Uint8Array;
  readonly rules: MergeRules;
}

/** The objects that are left, in the order of their seeds. */
export interface Objects {
  /** The row that stands for each object: its class, and how a tile saw it. */
  readonly seeds: readonly number[];
  /** Score of each object; the seed's own where absent. */
  readonly scores?: readonly number[];
  /** Box of each object, as many numbers as a row has; the seed's own where absent. */
  readonly boxes?: readonly (Float64Array | undefined)[];
}

/**
 * Finds the objects. A method must be *local*: what becomes of a row depends only on rows it can be reached from by
 * steps between pairs that match (soft-NMS: overlap). Merging a scene band by band rests on it.
 */
export type Method = (question: Question) => Objects;
