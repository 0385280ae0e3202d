/** How long the stages of a run take. */

export const STAGES = ["plan", "read", "prepare", "infer", "merge", "write"] as const;
export type Stage = (typeof STAGES)[number];

export interface Clock {
  /** Says that a piece of work of this stage begins; what comes back says that it has ended. */
  readonly begin: (stage: Stage) => () => void;
  /** Milliseconds in which each stage was at work, and since the clock was started. Stages overlap. */
  readonly read: () => Readonly<Record<Stage | "total", number>>;
}

export function startClock(): Clock {
  const began = performance.now();
  const stages = new Map(STAGES.map((stage) => [stage, { ms: 0, active: 0, since: 0 }]));
  return {
    begin: (stage) => {
      const state = stages.get(stage)!; // the table has every stage
      if (state.active++ === 0) state.since = performance.now();
      return () => {
        if (--state.active === 0) state.ms += performance.now() - state.since;
      };
    },
    read: () => {
      const ms = (stage: Stage): number => stages.get(stage)?.ms ?? 0;
      return {
        plan: ms("plan"),
        read: ms("read"),
        prepare: ms("prepare"),
        infer: ms("infer"),
        // Whoever writes is part of whoever reads what the merge is made of.
        merge: Math.max(0, ms("merge") - ms("write")),
        write: ms("write"),
        total: performance.now() - began,
      };
    },
  };
}

/** The same function, on the clock. */
export const timed =
  <A extends readonly unknown[], T>(
    clock: Clock,
    stage: Stage,
    work: (...args: A) => Promise<T>,
  ): ((...args: A) => Promise<T>) =>
  async (...args) => {
    const end = clock.begin(stage);
    try {
      return await work(...args);
    } finally {
      end();
    }
  };

/** Puts on the clock what whoever reads the stream does with each item. */
export async function* timeReader<T>(
  source: AsyncIterable<T>,
  clock: Clock,
  stage: Stage,
): AsyncGenerator<T, void, undefined> {
  for await (const item of source) {
    const end = clock.begin(stage);
    try {
      yield item;
    } finally {
      end();
    }
  }
}
