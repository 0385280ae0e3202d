/** Which engines there are, each loaded when it is asked for. */
import { DeviceError, type Engine } from "./engine.ts";

/** Name → the engine, fetched. The best is first. */
export type EngineTable = Readonly<Record<string, () => Promise<Engine>>>;

/** Engines that run in a browser (and in Node). `pipeline/node.ts` has the longer table `NODE_ENGINES`. */
export const ENGINES: EngineTable = {
  "onnxruntime-web": async () => (await import("./onnxruntime-web.ts")).onnxruntimeWeb,
  webgpu: async () => (await import("./webgpu.ts")).webgpu,
};

/**
 * Fetches an engine by name, or the first of the table.
 *
 * @throws {DeviceError} where no engine of the table has that name.
 * @example
 * const engine = await createEngine(undefined, NODE_ENGINES);
 */
export async function createEngine(name?: string, engines: EngineTable = ENGINES): Promise<Engine> {
  const fetch = name === undefined ? Object.values(engines)[0] : engines[name];
  if (fetch === undefined) {
    const names = Object.keys(engines).join(", ");
    throw new DeviceError(`createEngine: name must be one of ${names}, received ${name}`);
  }
  return fetch();
}
