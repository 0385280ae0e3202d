export * from "./graph.ts";
export * from "./operator.ts";
export * from "./shape.ts";
export * from "./tensor.ts";
