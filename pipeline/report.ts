/** What a run over one scene came to: counts, timings, warnings, and why nothing was found. */
import type { Stage } from "./clock.ts";

export interface TileCounts {
  /** Tiles of the plan. */
  readonly planned: number;
  /** Left out of it because they lie outside the area of interest. */
  readonly outside: number;
  /** Taken from the journal of an earlier run. */
  readonly resumed: number;
  /** Not looked at: all nodata, or all of one value. */
  readonly nodata: number;
  readonly blank: number;
  /** Looked at by the model. */
  readonly detected: number;
}

export interface RunReport {
  readonly tiles: TileCounts;
  /** Detections of all tiles, before merging. */
  readonly raw: number;
  readonly objects: number;
  readonly byClass: Readonly<Record<string, number>>;
  readonly dropped: {
    /** Boxes whose middle lies on nodata. */
    readonly onNodata: number;
    readonly otherClass: number;
    readonly outsideArea: number;
  };
  /** Highest score the model gave anywhere, also below the threshold. */
  readonly bestScore: number;
  readonly resampling: string;
  readonly stretch: string;
  readonly bands: string;
  readonly warnings: readonly string[];
  /** Why little or nothing was found; empty where that is not so. */
  readonly diagnosis: readonly string[];
  /** Milliseconds by stage; stages overlap, so their sum may exceed the total. */
  readonly timingsMs: Readonly<Record<Stage | "total", number>>;
}
