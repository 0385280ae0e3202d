export * from "./engines/engine.ts";
export { type BatchingOptions, type SharedSession, shareSession } from "./engines/batching.ts";
export * from "./stream.ts";
export * from "./objects.ts";
export * from "./tiles.ts";
export * from "./errors.ts";
export * from "./settings.ts";
export * from "./settings/resolve.ts";
export { nearest } from "./settings/nearest.ts";
export type { SettingGroup, SettingStage } from "./settings/field.ts";
export { SettingsError } from "./settings/settings-error.ts";
export { parseStretch, type Stretch } from "./settings/stretch.ts";
export * from "./outputs/formats.ts";
export * from "./outputs/output.ts";
export * from "./progress.ts";
export { type AreaOfInterest, areaOfInterest } from "./area.ts";
export { type BandChoice, chooseBands } from "./bands.ts";
export { type GroundResolution, groundResolution, ResolutionError } from "./resolution.ts";
export { type DecidedStretch, decideStretch } from "./stretch.ts";
export { VERSION } from "./version.ts";
export * from "./georeference.ts";
export { createEngine, ENGINES, type EngineTable } from "./engines/table.ts";
export { wasmThreads } from "./engines/wasm-threads.ts";
export { loadNetwork, webgpu, webgpuEngine } from "./engines/webgpu.ts";
export * from "./detector.ts";
export { mergeDetections } from "./merge/merge.ts";
export type { MergeOptions } from "./merge/options.ts";
export { toScene } from "./merge/sight.ts";
export { type MergeTilesOptions, mergeTiles } from "./merge/tiles.ts";
export { detect, type FlowOptions, type FlowProgress } from "./detect.ts";
export type { RunReport, TileCounts } from "./report.ts";
export { planScene, type ScenePlan } from "./scene-plan.ts";
export { readResult, type ReadResultOptions, type Result } from "./outputs/result.ts";
export { estimate, type Estimate, type EstimateOptions } from "./estimate.ts";
export { pictureSize, type PictureSize, readBackdrop } from "./outputs/picture/backdrop.ts";
export { classColour, Drawing } from "./outputs/picture/drawing.ts";
export {
  detectSet,
  type DetectSetOptions,
  type Scored,
  type SetDetections,
} from "./evaluation/detect-set.ts";
