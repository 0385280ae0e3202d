/** Names of the outputs of a batch: one stem a scene, no two alike. */
import { fileName, stem } from "../outputs/output.ts";

/**
 * A stem for each source: its file name without the extension; with it where two would be the same; after the names
 * of its folders where that is not enough. A source keeps its stem whichever share of the batch is done.
 */
export function outputStems(sources: readonly string[]): readonly string[] {
  const longest = Math.max(0, ...sources.map((source) => parts(source).length));
  let names = sources.map(stem);
  for (let depth = 0; depth < longest && new Set(names).size < names.length; depth++) {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    names = names.map((name, i) =>
      counts.get(name) === 1
        ? name
        : parts(sources[i] ?? "")
            .slice(-1 - depth)
            .join("_"),
    );
  }
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name}_${before + 1}`;
  });
}

const parts = (source: string): readonly string[] => {
  const folders = source
    .replace(/[?#].*$/, "")
    .split(/[\\/]+/)
    .filter((part) => !["", ".", ".."].includes(part));
  return [...folders.slice(0, -1), fileName(source)];
};
