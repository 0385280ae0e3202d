export * from "./engines/engine.ts";
export * from "./stream.ts";
export * from "./objects.ts";
export * from "./tiles.ts";
