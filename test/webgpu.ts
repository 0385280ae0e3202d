/** A WebGPU device for tests, or a line that says why there is none. */
import { openDevice } from "../attention/index.ts";
import type { Arrays, OpenDevice, Operand, Tensor } from "../attention/index.ts";
import { whole } from "../attention/index.ts";
import { gpuOfNode } from "../pipeline/engines/webgpu-node.ts";

/** Opened once a test file; undefined, aloud, where this machine has no adapter. */
export async function openTestDevice(): Promise<OpenDevice | undefined> {
  try {
    return await openDevice(await gpuOfNode());
  } catch (error) {
    console.warn(`skipped: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Tensors as operands of a kernel, and their numbers as feeds. */
export function operands<T extends Readonly<Record<string, Tensor | undefined>>>(
  tensors: T,
): { readonly of: { readonly [K in keyof T]: Operand }; readonly feeds: Arrays } {
  const given = Object.entries(tensors).flatMap(([name, t]) => (t ? [[name, t] as const] : []));
  const by = given.map(([name, { shape }]) => [name, { from: name, view: whole(shape) }]);
  return {
    // One entry for every name that was given a tensor.
    of: Object.fromEntries(by) as { readonly [K in keyof T]: Operand },
    feeds: Object.fromEntries(given.map(([name, { data }]) => [name, data])),
  };
}
