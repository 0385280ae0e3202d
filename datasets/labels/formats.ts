/** Label formats: what they are called, and how text of each is read and written. Folders are read in `folder-node.ts`. */
export * from "./check.ts";
export { type CropOptions, cropLabels, visibleShare } from "./crop.ts";
export { tileDataset, type TileDatasetOptions, tileLabels, tileName } from "./tiles.ts";
export { cocoObject, formatCoco, parseCoco, parseCocoResults } from "./coco.ts";
export { type ImageFacts, dotaHeader, dotaLine, formatDota, parseDota } from "./dota.ts";
export { type GeojsonOptions, type ImagePlace, formatGeojson, parseGeojson } from "./geojson.ts";
export * from "./labels.ts";
export { formatVoc, parseVoc } from "./voc.ts";
export { type YoloKind, formatYolo, parseYolo, yoloLine } from "./yolo.ts";

export const LABEL_FORMATS = ["coco", "dota", "yolo", "yolo-obb", "voc", "geojson"] as const;
export type LabelFormat = (typeof LABEL_FORMATS)[number];
