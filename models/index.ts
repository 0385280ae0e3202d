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
