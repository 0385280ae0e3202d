/** Which things belong together, told pair by pair (union-find with path halving). */
export interface Groups {
  /** The lowest member of the group of `item`, as far as told. */
  readonly find: (item: number) => number;
  readonly unite: (a: number, b: number) => void;
}

export function createGroups(count: number): Groups {
  const parent = Uint32Array.from({ length: count }, (_, item) => item);
  const find = (item: number): number => {
    let at = item;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  return {
    find,
    unite: (a, b) => {
      const [rootA, rootB] = [find(a), find(b)];
      // The lower one leads, so a group is known by its best row.
      if (rootA < rootB) parent[rootB] = rootA;
      else parent[rootA] = rootB;
    },
  };
}
