/** Which boxes may overlap: a spatial index, so that no pair far apart is ever looked at. */
import Flatbush from "flatbush";
import type { Candidates } from "./candidates.ts";

/** Calls `visit` with every other row whose bounds meet those of `row`, in no particular order. */
export type Neighbours = (row: number, visit: (other: number) => void) => void;

/** Packs the bounds into an R-tree. Memory and time grow with rows times their logarithm. */
export function indexNeighbours({ count, bounds, sight }: Candidates): Neighbours {
  if (count < 2) return () => {};
  const reach = sight?.reach ?? bounds;
  const tree = new Flatbush(count);
  for (let at = 0; at < 4 * count; at += 4) {
    tree.add(reach[at]!, reach[at + 1]!, reach[at + 2]!, reach[at + 3]!);
  }
  tree.finish();
  return (row, visit) => {
    const at = 4 * row;
    // As a filter that lets nothing through, the visitor costs no array of results.
    tree.search(reach[at]!, reach[at + 1]!, reach[at + 2]!, reach[at + 3]!, (other) => {
      if (other !== row) visit(other);
      return false;
    });
  };
}
