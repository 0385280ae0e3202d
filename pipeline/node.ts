export { openOutput } from "./outputs/node/open.ts";
export { NODE_ENGINES } from "./engines/table-node.ts";
export { type BatchEvent, type BatchSummary, runBatch } from "./jobs/batch-node.ts";
export type { BatchOptions } from "./jobs/batch-options.ts";
export { type PictureOptions, renderPicture } from "./outputs/node/picture.ts";
export { type Converted, type ConvertOptions, convertLabels } from "./outputs/node/convert.ts";
export { type Checkpoint, readCheckpoint, writeCheckpoint } from "./training/checkpoint-node.ts";
export { train, type TrainEvent, TrainingError, type TrainOptions } from "./training/train-node.ts";
export { openPartialFile, type PartialFile } from "./outputs/node/partial-file.ts";
