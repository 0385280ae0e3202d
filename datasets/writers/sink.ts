/** Where a writer puts its bytes: at an offset, for what points forward is known last. */
export interface ByteSink {
  readonly write: (bytes: Uint8Array, offset: number) => Promise<void>;
}

/** Bytes kept in memory; `bytes()` is the file so far. */
export interface MemorySink extends ByteSink {
  readonly bytes: () => Uint8Array<ArrayBuffer>;
}

export function memorySink(): MemorySink {
  const parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  return {
    write: async (bytes, offset) => {
      parts.push({ offset, bytes });
    },
    bytes: () => {
      const length = Math.max(0, ...parts.map(({ offset, bytes }) => offset + bytes.length));
      const whole = new Uint8Array(length);
      for (const { offset, bytes } of parts) whole.set(bytes, offset);
      return whole;
    },
  };
}
