/**
 * What the page and its worker say to each other. Requests are served one after another, and each is answered by `idle` in the
 * end; `cancel` is served at once, and ends every run that was asked for.
 */
import type { FoundObject, MergeMethod, RunReport, TileCounts } from "../../pipeline/index.ts";

/** The seeded scene that can be looked at without a file of one's own. */
export interface Sample {
  readonly seed: number;
  /** Side in pixels of half a metre. */
  readonly sidePx: number;
}

/** What a person may decide; what is undefined the model decides, or the default of `pipeline/settings.ts`. */
export interface RunSettings {
  /** Detections with less are not kept; the slider starts here. */
  readonly scoreAtLeast?: number | undefined;
  readonly overlapPx?: number | undefined;
  readonly merge?: MergeMethod | undefined;
  /** Metres per pixel of a scene that does not say it. */
  readonly sceneGsdM?: number | undefined;
  /** Looks at the model's other scales too, before the tiles, as the command line does. */
  readonly otherScales?: boolean | undefined;
}

export type ModelChoice =
  | { readonly kind: "built-in" }
  | { readonly kind: "shipped"; readonly name: string }
  | { readonly kind: "file"; readonly file: File };

/** Which of the found objects are meant: what the page shows at the moment. */
export interface Choice {
  readonly scoreAtLeast: number;
  readonly hiddenClasses: ReadonlySet<number>;
}

export const isChosen = (
  { score, classIndex }: FoundObject,
  { scoreAtLeast, hiddenClasses }: Choice,
): boolean => score >= Math.fround(scoreAtLeast) && !hiddenClasses.has(classIndex);

export type ExportFormat = "geojson" | "csv" | "png";

export type Request =
  /** Opens a scene and detects in it. */
  | { readonly type: "open"; readonly source: File | Sample; readonly settings: RunSettings }
  | { readonly type: "model"; readonly choice: ModelChoice }
  | { readonly type: "compare" }
  | { readonly type: "detect"; readonly settings: RunSettings }
  | { readonly type: "export"; readonly format: ExportFormat; readonly choice: Choice }
  | { readonly type: "lab"; readonly at: readonly [x: number, y: number] }
  | { readonly type: "cancel" };

/** A scene has been opened. */
export interface SceneOpened {
  readonly type: "scene";
  readonly name: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly sampleType: string;
  /** `EPSG:32633`, the CRS's own name, or undefined. */
  readonly crs: string | undefined;
  /** Metres per pixel. */
  readonly gsdM: number | undefined;
  readonly warnings: readonly string[];
  /** The whole scene, stretched and shrunk. */
  readonly picture: ImageBitmap;
  readonly mesh: Mesh | undefined;
}

/** Where points of the scene lie on the Earth: a regular grid over it, so that its picture can be laid on a map. */
export interface Mesh {
  /** Cells along each side. */
  readonly cells: number;
  /** `lon lat` of (cells + 1)² points, row by row from the scene's first pixel. */
  readonly lonLat: Float64Array;
}

/** One engine on one device, as measured on the fixed tile. */
export interface Measured {
  readonly backend: BackendName;
  /** Of one tile, after the first; undefined where the backend cannot run this model. */
  readonly msPerTile: number | undefined;
  /** Largest difference of a score from WebAssembly's, or the first backend's where that was not measured. */
  readonly difference: number;
  /** Why it cannot be used. */
  readonly reason?: string | undefined;
}

/** Our own engine on WebGPU; ONNX Runtime on WebAssembly; ONNX Runtime on WebGPU. */
export type BackendName = "webgpu" | "wasm" | "ort-webgpu";

/** A detector is ready. */
export interface ModelReady {
  readonly type: "model";
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly licence: string | undefined;
  readonly head: string;
  readonly classes: readonly string[];
  /** CSS colours, one for each class. */
  readonly colours: readonly string[];
  /** What a run takes for its least score where nobody says another. */
  readonly scoreAtLeast: number;
  readonly overlapPx: number;
  /** Scales beside 1 that its author looks at a scene with. */
  readonly scales: readonly number[];
  readonly notices: readonly string[];
  readonly measured: readonly Measured[];
  readonly chosen: BackendName;
  /** Threads that WebAssembly has, and what it would have in a cross-origin isolated page. */
  readonly threads: { readonly now: number; readonly isolated: number };
  /** A backend that this browser may have and that has not been tried yet. */
  readonly next: BackendName | undefined;
}

/** A tile has been looked at. */
export interface TileDone {
  readonly type: "tile";
  /** Tiles done, and all of the plan. */
  readonly done: number;
  readonly total: number;
  /** The tile in pixels of the scene: `left top right bottom`. */
  readonly bounds: readonly [left: number, top: number, right: number, bottom: number];
  /** Seen in this tile, not merged with its neighbours yet. */
  readonly seen: readonly FoundObject[];
  /** Merged and final since the last message. */
  readonly settled: readonly FoundObject[];
  /** Provisional objects of tiles that end above this row of the scene are all settled. */
  readonly settledAbove: number;
}

export interface RunDone {
  readonly type: "done";
  /** Every object, final. */
  readonly objects: readonly FoundObject[];
  readonly cancelled: boolean;
  readonly elapsedMs: number;
  readonly tiles: TileCounts | undefined;
  readonly report: RunReport | undefined;
}

export interface Exported {
  readonly type: "exported";
  readonly format: ExportFormat;
  readonly name: string;
  readonly content: Blob | Layers;
}

/** A picture that the page must put together: a worker cannot decode SVG. */
export interface Layers {
  readonly width: number;
  readonly height: number;
  readonly backdrop: ImageBitmap;
  readonly svgs: readonly string[];
}

/** One operator of the attention lab. */
export interface LabRow {
  readonly title: string;
  readonly summary: string;
  /** At two numbers of tokens: the fastest run on WebAssembly, and the most that intermediate values hold at once. */
  readonly costs: readonly {
    readonly tokens: number;
    readonly ms: number;
    readonly peakBytes: number;
  }[];
  /** `[N N]`: row j, column i says how far output i moves when patch j is replaced by the mean patch. */
  readonly influence: Float32Array;
}

export interface LabResult {
  readonly type: "lab";
  readonly picture: ImageBitmap;
  /** Patches along each side; N = side². */
  readonly side: number;
  /** The patch at the place that was asked for. */
  readonly patch: number;
  readonly rows: readonly LabRow[];
}

export interface Failed {
  readonly type: "failed";
  readonly during: Request["type"];
  /** A code of `ERRORS`. */
  readonly code: string;
  readonly sentence: string;
}

export type Event =
  | { readonly type: "busy"; readonly with: string }
  | { readonly type: "idle" }
  | { readonly type: "note"; readonly sentence: string }
  /** A run begins; how many tiles it has is not known yet. */
  | { readonly type: "planning" }
  | { readonly type: "started"; readonly total: number }
  | SceneOpened
  | ModelReady
  | TileDone
  | RunDone
  | Exported
  | LabResult
  | Failed;
