/** What a network's weights are before it is trained, and how stored ones are matched to it. */
import { ModelError } from "../card.ts";
import { volume } from "../../attention/index.ts";
import type { Init, OnnxGraph } from "./graph.ts";

/** Values by name, in the row-major order of the graph's shapes. */
export type Weights = ReadonlyMap<string, Float32Array>;

/**
 * Starts every weight and buffer of a graph.
 *
 * Noise depends on the weight's name and the seed alone: a module more or less leaves all others as they were.
 */
export function initialWeights(
  graph: OnnxGraph,
  { seed = 0 }: { readonly seed?: number } = {},
): Weights {
  return new Map(
    [...graph.weights].map(([name, { init }]) => {
      const count = volume(graph.values.get(name)?.shape ?? []);
      return [name, init instanceof Float32Array ? init : initial(init, count, seedOf(name, seed))];
    }),
  );
}

/**
 * Checks that `weights` holds every weight of a graph, in the right number.
 *
 * @throws {ModelError} naming the first that is missing or of another size.
 */
export function checkWeights(graph: OnnxGraph, weights: Weights): void {
  for (const name of graph.weights.keys()) {
    const shape = graph.values.get(name)?.shape ?? [];
    const held = weights.get(name);
    if (held === undefined) {
      throw new ModelError(
        `${graph.name}: the weights must hold ${name} [${shape.join(" ")}], received ${weights.size} others`,
      );
    }
    if (held.length !== volume(shape)) {
      throw new ModelError(
        `${graph.name}: ${name} must be [${shape.join(" ")}], received ${held.length} values`,
      );
    }
  }
}

function initial(init: Init, count: number, seed: number): Float32Array {
  const out = new Float32Array(count);
  if (init.kind === "constant") return out.fill(init.value);
  const random = noise(seed);
  if (init.kind === "uniform") return out.map(() => (2 * random() - 1) * init.bound);
  return out.map(() => cutNormal(random) * init.std);
}

/** A normal deviate within two standard deviations (Box and Muller; what lies outside is drawn again). */
function cutNormal(random: () => number): number {
  for (;;) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const value = radius * Math.cos(2 * Math.PI * random());
    if (Math.abs(value) <= 2) return value;
  }
}

/** FNV-1a of the name, mixed with the seed. */
function seedOf(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Uniform in 0…1 (splitmix32). */
function noise(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
