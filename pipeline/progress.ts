/**
 * What a run reports while it works: the terminal, the server's event stream and the page all read these.
 *
 * Per scene, in order: `scene`, `plan`, any number of `tiles`, then one of `done`, `skipped` and `failed`; `note`
 * anywhere. Scenes of a batch may interleave when several are under way.
 */
export type RunEvent =
  | SceneEvent
  | PlanEvent
  | TilesEvent
  | NoteEvent
  | DoneEvent
  | SkippedEvent
  | FailedEvent;

/** Which scene of the batch an event speaks of. */
interface About {
  /** Path or address as it was given. */
  readonly source: string;
  /** Place in the batch, from 0. */
  readonly index: number;
  /** Scenes in the batch. */
  readonly of: number;
}

/** A scene has been opened. */
export interface SceneEvent extends About {
  readonly type: "scene";
  readonly width: number;
  readonly height: number;
  /** `EPSG:32633`, the CRS's own name, or undefined. */
  readonly crs: string | undefined;
  /** Metres per pixel. */
  readonly gsdM: number | undefined;
  readonly sampleType: string;
  readonly bands: number;
  readonly nodata: number | undefined;
}

/** Its tiles have been planned. */
export interface PlanEvent extends About {
  readonly type: "plan";
  /** All tiles of the plan. */
  readonly tiles: number;
  /** Of these, known from the start to hold no data or to lie outside the area of interest. */
  readonly skipped: number;
  /** Of these, taken from the journal of an earlier run. */
  readonly resumed: number;
  readonly tilePx: number;
  readonly overlapPx: number;
  readonly batch: number;
}

/** More tiles are done. */
export interface TilesEvent extends About {
  readonly type: "tiles";
  /** Tiles detected in, skipped and resumed so far. */
  readonly done: number;
  readonly total: number;
  /** Raw detections so far, before merging. */
  readonly raw: number;
  /** Final objects so far. */
  readonly objects: number;
}

/** Something the user should know: a warning, a diagnosis. */
export interface NoteEvent extends About {
  readonly type: "note";
  readonly message: string;
}

/** All outputs of a scene lie under their final names. */
export interface DoneEvent extends About {
  readonly type: "done";
  readonly objects: number;
  /** Detections before merging. */
  readonly raw: number;
  readonly byClass: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  /** Paths of the outputs, the manifest last. */
  readonly outputs: readonly string[];
}

/** A scene was left out. */
export interface SkippedEvent extends About {
  readonly type: "skipped";
  readonly reason: string;
}

/** A scene failed; the others go on. */
export interface FailedEvent extends About {
  readonly type: "failed";
  /** A code of `ERRORS`. */
  readonly code: string;
  readonly sentence: string;
}

export type OnEvent = (event: RunEvent) => void;
