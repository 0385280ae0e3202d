/** Which stored tensors may share memory: planned once, from when each is written and last read. */
import { sourcesOf } from "./shader.ts";
import type { Step } from "./shader.ts";
import { volume } from "../tensor.ts";

export interface MemoryPlan {
  /** Length of every shared buffer, in values. */
  readonly buffers: readonly number[];
  /** Tensor → its buffer. */
  readonly bufferOf: ReadonlyMap<string, number>;
}

/**
 * Gives every tensor that a step writes a buffer; two share one where neither is needed while the other is.
 *
 * @param kept  names that must outlive the last step.
 */
export function planMemory(steps: readonly Step[], kept: readonly string[]): MemoryPlan {
  const lengths = new Map<string, number>();
  const lastRead = new Map<string, number>(kept.map((name) => [name, steps.length]));
  for (const [at, step] of steps.entries()) {
    lengths.set(
      step.writes,
      Math.max(step.total ?? volume(step.shape), lengths.get(step.writes) ?? 0),
    );
    for (const name of [...sourcesOf(step), step.writes]) {
      lastRead.set(name, Math.max(at, lastRead.get(name) ?? 0));
    }
  }
  const buffers: number[] = [];
  const bufferOf = new Map<string, number>();
  const free: number[] = [];
  for (const [at, step] of steps.entries()) {
    if (!bufferOf.has(step.writes)) {
      bufferOf.set(step.writes, take(lengths.get(step.writes) ?? 0, buffers, free));
    }
    for (const name of new Set([...sourcesOf(step), step.writes])) {
      const buffer = bufferOf.get(name);
      if (buffer !== undefined && lastRead.get(name) === at) free.push(buffer);
    }
  }
  return { buffers, bufferOf };
}

/** The smallest free buffer that is large enough; else the largest free one, grown; else a new one. */
function take(length: number, buffers: number[], free: number[]): number {
  free.sort((a, b) => (buffers[a] ?? 0) - (buffers[b] ?? 0));
  const fit = free.findIndex((buffer) => (buffers[buffer] ?? 0) >= length);
  const [buffer = buffers.length] = free.splice(fit < 0 ? free.length - 1 : fit, 1);
  buffers[buffer] = Math.max(buffers[buffer] ?? 0, length);
  return buffer;
}
