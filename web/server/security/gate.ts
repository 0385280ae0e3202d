/** Admission: how many requests work at once, and how many may wait. Owners that wait take turns. */
import { RequestError } from "../problem.ts";

export interface Gate {
  /**
   * Waits for a place; what comes back gives it up.
   *
   * @throws {RequestError} `ERR_BUSY` where too many wait already; the signal's reason where it is aborted
   */
  readonly enter: (owner: string, signal: AbortSignal) => Promise<() => void>;
  /** Says no to a request before its body has been read. @throws {RequestError} `ERR_BUSY` */
  readonly check: () => void;
  readonly active: () => number;
  readonly waiting: () => number;
  /** Requests that were turned away. */
  readonly turnedAway: () => number;
}

interface Visitor {
  readonly owner: string;
  readonly start: () => void;
}

export function createGate({
  active: places,
  waiting: seats,
}: {
  readonly active: number;
  readonly waiting: number;
}): Gate {
  let [active, refused] = [0, 0];
  const queue: Visitor[] = [];
  const served = new Map<string, number>(); // owner → when last, as a count of turns
  let turn = 0;

  const check = (): void => {
    if (active < places || queue.length < seats) return;
    refused++;
    throw new RequestError(
      "ERR_BUSY",
      `the queue must have room, it holds ${queue.length} requests`,
      retryAfterS(queue.length, places),
    );
  };
  const next = (): void => {
    if (active >= places || queue.length === 0) return;
    const lastTurn = ({ owner }: Visitor): number => served.get(owner) ?? -1;
    const longest = queue.reduce((a, b) => (lastTurn(b) < lastTurn(a) ? b : a));
    queue.splice(queue.indexOf(longest), 1);
    longest.start();
  };
  const begin = (owner: string): (() => void) => {
    active++;
    served.set(owner, turn++);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      active--;
      if (active === 0 && queue.length === 0) served.clear();
      next();
    };
  };
  return {
    check,
    enter(owner, signal) {
      signal.throwIfAborted();
      check();
      if (active < places) return Promise.resolve(begin(owner));
      return new Promise((resolve, reject) => {
        const visitor: Visitor = {
          owner,
          start: () => {
            signal.removeEventListener("abort", leave);
            resolve(begin(owner));
          },
        };
        const leave = (): void => {
          queue.splice(queue.indexOf(visitor), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", leave, { once: true });
        queue.push(visitor);
      });
    },
    active: () => active,
    waiting: () => queue.length,
    turnedAway: () => refused,
  };
}

/** A guess: one second for what is under way, one for each round of those that wait. */
const retryAfterS = (waiting: number, places: number): number => 1 + Math.ceil(waiting / places);
