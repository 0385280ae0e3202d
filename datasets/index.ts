export * from "./affine.ts";
export * from "./boxes.ts";
export * from "./crs.ts";
export * from "./detections.ts";
export * from "./scene.ts";
