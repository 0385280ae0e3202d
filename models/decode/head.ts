/**
 * The contract of a head: how a network's outputs are recognised, and how they become detections.
 *
 * Coordinates that leave a decoder are pixels of the network's input; undoing a letterbox or a resize is the
 * pipeline's, which made it. Decoders do not suppress duplicates: the merge does, within a tile as between tiles.
 */
import type { Detections } from "../../datasets/index.ts";
import type { ModelInput } from "../card.ts";
import type { Metadata } from "../metadata.ts";
import type { ModelSummary } from "../onnx/summary.ts";

/** One output of a run. */
export interface OutputArray {
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** Outputs of a run by name, in the order of the file. */
export type Outputs = Readonly<Record<string, OutputArray>>;

export interface DecodeContext {
  /** Size of the network's input in pixels. */
  readonly width: number;
  readonly height: number;
  /** Tiles in the run. */
  readonly batch: number;
  /** Detections with less are left out. */
  readonly scoreAtLeast: number;
}

/** What one run found. */
export interface Decoded {
  /** One per tile of the batch. */
  readonly perTile: readonly Detections<"tile">[];
  /** Highest score of each tile, also where it is below the threshold; 0 where nothing was scored. */
  readonly bestScores: Float32Array;
}

export type Decode = (outputs: Outputs, context: DecodeContext) => Decoded;

/** How the authors of a family prepare their images, where the file itself does not say. */
export type InputHabits = Pick<ModelInput, "order" | "mean" | "std" | "fit" | "padValue">;

/** What is known of a model when its head is looked for. */
export interface Facts {
  readonly summary: ModelSummary;
  readonly metadata: Metadata;
  /** Class names, from the caller or the metadata. */
  readonly classes: readonly string[] | undefined;
  /** Size of the network's input in pixels. */
  readonly width: number;
  readonly height: number;
  /** Outputs of one run on a seeded picture of soft blobs, batch 1. */
  readonly probe: Outputs;
}

/** A head that fits. */
export interface HeadMatch {
  /** Undefined where the outputs do not show it: they hold class numbers. */
  readonly classCount: number | undefined;
  readonly oriented: boolean;
  /** Why this head, in whole sentences. */
  readonly reasons: readonly string[];
  /** What a user should know: outputs that are ignored. */
  readonly notices: readonly string[];
  readonly habits: InputHabits;
  /** Names to use where the file has none. */
  readonly classes?: readonly string[];
  readonly decode: Decode;
}

/** One way in which networks write their detections. */
export interface Head {
  /** The name for `--head`. */
  readonly name: string;
  /** Its outputs, for people: `(B, N, 5 + classes)`. */
  readonly layout: string;
  /**
   * Says whether the outputs are of this head. `asked`: the caller named it, so only what the decoder needs is
   * checked, and doubt is no reason to decline.
   */
  readonly match: (facts: Facts, asked: boolean) => HeadMatch | undefined;
}

/** The head that was chosen. */
export interface HeadDecision extends HeadMatch {
  readonly name: string;
}
