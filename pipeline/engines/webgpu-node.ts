/** The WebGPU engine in Node, through the optional package `webgpu` (Dawn). */
import type { Engine } from "./engine.ts";
import { webgpuEngine } from "./webgpu.ts";

/** Dawn frees what nobody holds, with the devices that are still in use. */
let held: GPU | undefined;

/** `navigator.gpu` for Node; undefined where the package is not installed. */
export async function gpuOfNode(): Promise<GPU | undefined> {
  try {
    const { create } = await import("webgpu");
    held ??= create([]);
    return held;
  } catch {
    return undefined;
  }
}

export const webgpuNode: Engine = webgpuEngine(gpuOfNode);
