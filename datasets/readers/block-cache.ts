/**
 * Decoded blocks, the most recently used ones, within a number of bytes.
 *
 * What is kept are promises: two readers that want the same block at the same time share one decoding.
 */
export interface BlockCache<Block> {
  readonly get: (key: string) => Promise<Block> | undefined;
  /** Keeps a block that is on its way. A failure is forgotten, so that it may be tried again. */
  readonly set: (key: string, block: Promise<Block>) => void;
  readonly clear: () => void;
  readonly heldBytes: () => number;
}

export function blockCache<Block>(
  capacityBytes: number,
  sizeBytes: (block: Block) => number,
): BlockCache<Block> {
  // A Map keeps insertion order: the first entry is the one unused for longest.
  const entries = new Map<string, { readonly block: Promise<Block>; bytes: number }>();
  let held = 0;

  function drop(key: string): void {
    held -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  function trim(): void {
    for (const [key, { bytes }] of entries) {
      if (held <= capacityBytes) return;
      if (bytes > 0) drop(key); // one still on its way weighs nothing and is wanted
    }
  }

  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.block;
    },
    set: (key, block) => {
      drop(key);
      const entry = { block, bytes: 0 };
      entries.set(key, entry);
      block.then(
        (decoded) => {
          if (entries.get(key) !== entry) return;
          entry.bytes = sizeBytes(decoded);
          held += entry.bytes;
          trim();
        },
        () => {
          if (entries.get(key) === entry) drop(key);
        },
      );
    },
    clear: () => {
      entries.clear();
      held = 0;
    },
    heldBytes: () => held,
  };
}
