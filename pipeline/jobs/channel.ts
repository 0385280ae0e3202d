/** A stream that is fed by calls. */
export interface Channel<T> extends AsyncIterable<T> {
  readonly push: (item: T) => void;
  /** No more items; with an error it is thrown once all items are taken. */
  readonly end: (error?: unknown) => void;
}

/** Opens a channel for one reader. Items wait for it, however many there are. */
export function createChannel<T>(): Channel<T> {
  const items: T[] = [];
  let ended: { readonly error: unknown } | undefined;
  let wake: () => void = () => {};
  async function* read(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const waiting = new Promise<void>((resolve) => {
        wake = resolve;
      });
      for (let item = items.shift(); item !== undefined; item = items.shift()) yield item;
      if (items.length > 0) continue;
      if (ended !== undefined) {
        if (ended.error !== undefined) throw ended.error;
        return;
      }
      await waiting;
    }
  }
  return {
    push: (item) => {
      items.push(item);
      wake();
    },
    end: (error) => {
      ended ??= { error };
      wake();
    },
    [Symbol.asyncIterator]: read,
  };
}
