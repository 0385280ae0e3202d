export * from "./graph.ts";
export * from "./operator.ts";
export * from "./pairing.ts";
export * from "./projection.ts";
export * from "./shape.ts";
export * from "./softmax.ts";
export * from "./tensor.ts";

export * from "./cores/scaled-dot-product.ts";
