/** What stands in a synthetic place. */
import type { Brush } from "./brush.ts";

/** The classes of synthetic objects, in the order of their indices. */
export const SYNTHETIC_CLASSES = ["plane", "ship", "vehicle", "building", "storage-tank"] as const;
export type SyntheticClassName = (typeof SYNTHETIC_CLASSES)[number];

/** Something with a size; its own axes have their origin in its middle and x along its length. */
export interface Thing {
  /** Undefined for what is no object: trees, jetties. */
  readonly class: SyntheticClassName | undefined;
  /** Exact extent along and across. */
  readonly lengthM: number;
  readonly widthM: number;
  /** Has no direction: it is put down unturned, so that its box is upright. */
  readonly isRound?: true;
  /** What is higher throws its shadow over what is lower. */
  readonly heightM: number;
  /** Paints shadow and body. */
  readonly draw: (brush: Brush) => void;
}
