export * from "./card.ts";
export {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  DATA_TYPE,
  type Dimension,
  type Draft,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  readModel,
  type StringStringEntryProto,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
  writeModel,
} from "./onnx/proto.ts";
export { COCO, COCO_IDS } from "./coco.ts";
export { type CardOverrides, describeModel } from "./describe.ts";
export type {
  Decode,
  DecodeContext,
  Decoded,
  Facts,
  HeadDecision,
  InputHabits,
  OutputArray,
  Outputs,
} from "./decode/head.ts";
export { HEAD_NAMES, HEADS, recognise } from "./decode/recognise.ts";
export { CARD_KEY, type Metadata, readMetadata } from "./metadata.ts";
export { type ModelSummary, type PortSummary, summarise } from "./onnx/summary.ts";
export { buildGraph, type BuildOptions, type GraphBuilder } from "./onnx/builder.ts";
export type {
  Body,
  Data,
  NamedValue,
  OnnxFunction,
  OnnxGraph,
  OnnxNode,
  Stored,
  ValueType,
} from "./onnx/graph.ts";
export { type OnnxOptions, toOnnx, toTrainingOnnx } from "./onnx/model.ts";
export { fromHalf, fromHalves, toHalf, toHalves } from "./onnx/float16.ts";
export {
  fromFloat32,
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  type StoredType,
  toFloat32,
  writeSafetensors,
} from "./onnx/safetensors.ts";
export { checkWeights, initialWeights, type Weights } from "./onnx/weights.ts";
export { cotangentName, gradient, gradientName, pullback } from "./gradient/gradient.ts";
export { inlineFunctions } from "./onnx/inline.ts";
export { decodeOriented, decodeUpright, cornersOf } from "./heads/box-decoding.ts";
export type { AnchorPoints, HeadOptions, RawHeads } from "./heads/anchor-free.ts";
export {
  detector,
  type DetectorNetwork,
  type DetectorOptions,
  FAMILIES,
  type FamilyName,
} from "./zoo/detector.ts";
export type { Family, SizeName } from "./zoo/family.ts";
export { MIXERS, type MixerName, type MixerRow } from "./zoo/mixers.ts";
export { detectionLoss, type LossOptions, type LossParts } from "./losses/detection.ts";
export {
  adamW,
  type AdamWOptions,
  type Decay,
  type Optimizer,
  sgd,
  type SgdOptions,
} from "./gradient/optimizers.ts";
export {
  type AverageOptions,
  STEP,
  type TrainingOptions,
  averagesOf,
  trainingStep,
} from "./gradient/training-step.ts";
export { buildMatchedFilter, MATCHED_FILTER_CLASSES } from "./zoo/matched-filter.ts";
export { checkModel } from "./onnx/check.ts";
export { readNetwork } from "./onnx/read.ts";
export { type Network, simplify } from "./onnx/simplify.ts";
export { costOf, type NetworkCost } from "./zoo/cost.ts";
export { type GraphSize, inferenceGraph, LOSS, lossGraph, PORTS, TARGETS } from "./zoo/graphs.ts";
export { buildShipped, readShippedCard, readWeights, type ShippedCard } from "./zoo/shipped.ts";
