export * from "./affine.ts";
export * from "./angles.ts";
export * from "./boxes.ts";
export * from "./convex.ts";
export * from "./crs.ts";
export * from "./detections.ts";
export * from "./geodesic.ts";
export * from "./min-area-rectangle.ts";
export * from "./overlap.ts";
export * from "./ring.ts";
export * from "./scene.ts";
export { openSceneFromBlob } from "./readers/blob.ts";
export { openSceneFromUrl } from "./readers/url.ts";
export type { GeoTiffOptions } from "./readers/geotiff.ts";
export { memoryScene, type MemorySceneOptions } from "./readers/memory.ts";
export { SCENE_EXTENSIONS } from "./readers/formats.ts";
export {
  type GeoTiffImage,
  type ReadPixels,
  writeGeoTiff,
  type WriteOptions,
} from "./writers/geotiff.ts";
export { type ByteSink, memorySink, type MemorySink } from "./writers/sink.ts";
export * from "./labels/formats.ts";
export {
  type Synthetic,
  type SyntheticClass,
  type SyntheticLabels,
  type SyntheticOptions,
  synthesise,
  type TrueObject,
} from "./synthetic.ts";
export { countFound, type FoundCount, type Known, type Reported } from "./synthetic/count-found.ts";
export {
  type CocoClassMetrics,
  type CocoMetrics,
  type CocoOptions,
  evaluateCoco,
} from "./metrics/coco.ts";
export {
  type Mistake,
  type MistakeOptions,
  type MistakeReport,
  reportMistakes,
} from "./metrics/mistakes.ts";
export {
  type OperatingPoint,
  type VocClassMetrics,
  type VocMetrics,
  type VocOptions,
  evaluateVoc,
} from "./metrics/voc.ts";
export {
  SYNTHETIC_PLACES,
  synthesiseTile,
  type SyntheticPlace,
  type SyntheticTile,
  type SyntheticTileOptions,
} from "./synthetic/tile.ts";
export { SYNTHETIC_CLASSES, type SyntheticClassName } from "./synthetic/thing.ts";
export {
  type ClassEvaluation,
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  type Protocol,
  PROTOCOLS,
} from "./metrics/evaluate.ts";
export { alignDetections, type Aligned, type AlignOptions } from "./metrics/align.ts";
