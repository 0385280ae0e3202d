/** Letters to insert, delete, replace or swap with the next one to get from `a` to `b`. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const at = (r: number, c: number): number => rows[r]?.[c] ?? 0;
      let best = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(i - 1, j - 1) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(i - 2, j - 2) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** The known name that was probably meant, where one is near enough. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const word = given.toLowerCase();
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: { name: string; cost: number } | undefined;
  for (const name of known) {
    const other = name.toLowerCase();
    const begins = word.length >= 3 && other.startsWith(word);
    const cost = begins ? 0 : distance(word, other);
    if (cost <= limit && cost < (best?.cost ?? Infinity)) best = { name, cost };
  }
  return best?.name;
}
