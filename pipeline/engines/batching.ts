/**
 * Runs of several callers in one: what waits while the session is busy is joined along the first axis, run once, and
 * handed back in parts.
 *
 * Joining moves the last bits of a result, so a session has two faces: `together` for requests that may share a run,
 * `alone` for work that must give the same bytes every time. Both take their turns in the same queue, first come, first
 * served; a caller with many runs is expected to keep few of them waiting.
 */
import type { EngineTensor, Feeds, Port, RunOptions, Session } from "./engine.ts";

export interface BatchingOptions {
  /** Called after every run with the rows that it held. */
  readonly onRun?: ((rows: number) => void) | undefined;
}

export interface SharedSession extends AsyncDisposable {
  /** Its runs may be joined with those of others. */
  readonly together: Session;
  /** Its runs are never joined. */
  readonly alone: Session;
  /** Lets up to `rows` rows share a run; 1 until it is called, for whether a network keeps rows apart must be tried. */
  readonly allow: (rows: number) => void;
  /** Runs that wait. */
  readonly waiting: () => number;
}

interface Waiting {
  readonly feeds: Feeds;
  /** Equal keys may share a run; undefined: alone. */
  readonly key: string | undefined;
  readonly rows: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outputs: Feeds) => void;
  readonly reject: (reason: unknown) => void;
}

/** Runs in the session's hands where no other can join them: it goes from one to the next without asking here. */
const AHEAD = 2;

/**
 * Shares a session. A session that is idle never waits for more callers. Closing the faces does nothing; closing what
 * is returned closes the session.
 */
export function shareSession(session: Session, { onRun }: BatchingOptions = {}): SharedSession {
  let most = 1;
  let inHand = 0;
  const queue: Waiting[] = [];
  const isOpen = session.inputs.every(({ dims }) => dims.length > 0 && dims[0] === undefined);

  const enqueue = (feeds: Feeds, joins: boolean, options: RunOptions = {}): Promise<Feeds> =>
    new Promise((resolve, reject) => {
      const rows = rowsOf(session.inputs, feeds);
      const key = joins && isOpen && rows > 0 ? keyOf(feeds) : undefined;
      queue.push({ feeds, key, rows, signal: options.signal, resolve, reject });
      queueMicrotask(start); // those who ask in one go share a run
    });

  /** Hands on what the session may have: a run that others could still join waits until it is idle. */
  function start(): void {
    for (let [next] = queue; next !== undefined; [next] = queue) {
      const isOpenToOthers = next.key !== undefined && next.rows < most;
      if (inHand >= (isOpenToOthers ? 1 : AHEAD)) return;
      inHand++;
      void runTogether(take(queue, most)).finally(() => {
        inHand--;
        start();
      });
    }
  }

  async function runTogether(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    if (group.length === 1) return runAlone(first);
    const rows = group.map((one) => one.rows);
    let parts: readonly Feeds[] | undefined;
    try {
      parts = split(await session.run(join(group.map(({ feeds }) => feeds))), rows);
      onRun?.(rows.reduce((a, b) => a + b, 0));
    } catch {
      parts = undefined; // one of them may be at fault: each is told its own
    }
    if (parts === undefined) {
      for (const one of group) await runAlone(one);
      return;
    }
    for (const [i, one] of group.entries()) one.resolve(parts[i] ?? {});
  }

  async function runAlone({ feeds, rows, signal, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await session.run(feeds, { signal }));
      onRun?.(rows);
    } catch (error) {
      reject(error);
    }
  }

  const face = (joins: boolean): Session => ({
    inputs: session.inputs,
    outputs: session.outputs,
    ...(session.allocate && { allocate: session.allocate }),
    run: (feeds, options) => enqueue(feeds, joins, options),
    [Symbol.asyncDispose]: async () => {},
  });
  return {
    together: face(true),
    alone: face(false),
    allow: (rows) => void (most = rows),
    waiting: () => queue.length,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Takes the first that waits and those that can share its run; callers that went away are dropped. */
function take(queue: Waiting[], most: number): readonly Waiting[] {
  for (let i = queue.length - 1; i >= 0; i--) {
    const { signal, reject } = queue[i]!;
    if (signal?.aborted !== true) continue;
    queue.splice(i, 1);
    reject(signal.reason);
  }
  const first = queue.shift();
  if (first === undefined) return [];
  const group = [first];
  let { rows } = first;
  for (let i = 0; i < queue.length && first.key !== undefined;) {
    const next = queue[i]!;
    if (next.key === first.key && rows + next.rows <= most) {
      group.push(next);
      rows += next.rows;
      queue.splice(i, 1);
    } else i++;
  }
  return group;
}

/** Rows of the first axis, where all inputs agree; else 0. */
function rowsOf(ports: readonly Port[], feeds: Feeds): number {
  const [rows = 0, ...others] = ports.map(({ name }) => feeds[name]?.dims[0] ?? 0);
  return others.every((other) => other === rows) ? rows : 0;
}

/** Names, types and sizes but for the first axis. */
const keyOf = (feeds: Feeds): string =>
  Object.keys(feeds)
    .toSorted()
    .map((name) => `${name} ${feeds[name]?.type} ${feeds[name]?.dims.slice(1).join("x")}`)
    .join(", ");

function join(all: readonly Feeds[]): Feeds {
  const [first = {}] = all;
  return Object.fromEntries(
    Object.keys(first).map((name) => [name, joined(all.flatMap((feeds) => feeds[name] ?? []))]),
  );
}

function joined(tensors: readonly EngineTensor[]): EngineTensor {
  const [first] = tensors;
  if (first === undefined) throw new TypeError("joined: must be given a tensor, received none");
  const Kind = first.data.constructor as new (length: number) => EngineTensor["data"];
  const data = new Kind(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as never, at); // equal keys: the same element type
    at += tensor.data.length;
  }
  const rows = tensors.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
  return { ...first, dims: [rows, ...first.dims.slice(1)], data } as EngineTensor;
}

/** The outputs in parts; undefined where one of them has not as many rows as went in. */
function split(outputs: Feeds, rows: readonly number[]): readonly Feeds[] | undefined {
  const total = rows.reduce((a, b) => a + b, 0);
  if (Object.values(outputs).some(({ dims }) => dims[0] !== total)) return undefined;
  let from = 0;
  return rows.map((count) => {
    const part = Object.entries(outputs).map(([name, { type, dims, data }]) => {
      const each = data.length / total;
      const slice = data.slice(from * each, (from + count) * each);
      return [name, { type, dims: [count, ...dims.slice(1)], data: slice }];
    });
    from += count;
    return Object.fromEntries(part);
  });
}
