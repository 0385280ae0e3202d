/** Random numbers that depend on nothing but their seed. */
export interface Random {
  /** Uniform in [0, 1). */
  readonly next: () => number;
  readonly between: (low: number, high: number) => number;
  /** A whole number in [0, below). */
  readonly below: (below: number) => number;
  readonly chance: (probability: number) => boolean;
}

/**
 * A stream of its own for every combination of numbers, so that the tile of (seed, epoch, index) is the same whichever
 * worker makes it. Generator: splitmix32 (public domain, after Steele et al., OOPSLA 2014).
 */
export function randomOf(...key: readonly number[]): Random {
  let state = key.reduce((hash, part) => mix((hash ^ part) + 0x9e3779b9), 0x243f6a88);
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    below: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
  };
}

function mix(x: number): number {
  let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** The numbers 0 … length − 1 in random order. */
export function shuffled(length: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
