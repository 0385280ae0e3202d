/** A priority queue: the highest score first, of equal ones the lowest row. */
export interface Queue {
  readonly push: (row: number, score: number) => void;
  readonly pop: () => { readonly row: number; readonly score: number } | undefined;
}

/** A binary heap for at most `capacity` entries at a time. */
export function createQueue(capacity: number): Queue {
  const [rows, scores] = [new Uint32Array(capacity), new Float64Array(capacity)];
  let length = 0;
  const before = (rowA: number, scoreA: number, rowB: number, scoreB: number): boolean =>
    scoreA > scoreB || (scoreA === scoreB && rowA < rowB);
  const put = (at: number, row: number, score: number): void => {
    rows[at] = row;
    scores[at] = score;
  };
  return {
    push: (row, score) => {
      let at = length++;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!before(row, score, rows[parent]!, scores[parent]!)) break;
        put(at, rows[parent]!, scores[parent]!);
        at = parent;
      }
      put(at, row, score);
    },
    pop: () => {
      if (length === 0) return undefined;
      const first = { row: rows[0]!, score: scores[0]! };
      length -= 1;
      const [row, score] = [rows[length]!, scores[length]!];
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= length) break;
        const right = child + 1;
        if (right < length && before(rows[right]!, scores[right]!, rows[child]!, scores[child]!)) {
          child = right;
        }
        if (!before(rows[child]!, scores[child]!, row, score)) break;
        put(at, rows[child]!, scores[child]!);
        at = child;
      }
      put(at, row, score);
      return first;
    },
  };
}
