export * from "./engines/engine.ts";
export * from "./stream.ts";
