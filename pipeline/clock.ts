/** How long the stages of a run take. */

export const STAGES = ["plan", "read", "prepare", "infer", "merge", "write"] as const;
export type Stage = (typeof STAGES)[number];

export interface Clock {
  /** Adds the time that a piece of work takes. */
  readonly timed: <T>(stage: Stage, work: () => Promise<T>) => Promise<T>;
  readonly add: (stage: Stage, ms: number) => void;
  /** Milliseconds of each stage so far, and since the clock was started. Stages overlap. */
  readonly read: () => Readonly<Record<Stage | "total", number>>;
}

export function startClock(): Clock {
  const began = performance.now();
  const ms: Record<Stage, number> = { plan: 0, read: 0, prepare: 0, infer: 0, merge: 0, write: 0 };
  return {
    timed: async (stage, work) => {
      const start = performance.now();
      try {
        return await work();
      } finally {
        ms[stage] += performance.now() - start;
      }
    },
    add: (stage, more) => {
      ms[stage] += more;
    },
    // Whoever writes is part of whoever reads the merge's input.
    read: () => ({
      ...ms,
      merge: Math.max(0, ms.merge - ms.write),
      total: performance.now() - began,
    }),
  };
}

/** Adds the time in which whoever reads the stream works with what it got. */
export async function* timeReader<T>(
  source: AsyncIterable<T>,
  clock: Clock,
  stage: Stage,
): AsyncGenerator<T, void, undefined> {
  for await (const item of source) {
    const start = performance.now();
    yield item;
    clock.add(stage, performance.now() - start);
  }
}
