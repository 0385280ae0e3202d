/** einops patterns as the fewest ONNX nodes: a Reshape, a Transpose, a Reshape, each only where it does something. */
import { ShapeError } from "../../attention/index.ts";
import { range, same } from "./operations/operation.ts";

/** What a pattern means for one shape. */
export interface Rearrangement {
  /** Shape before the axes change places; adjacent axes that stay together are one. */
  readonly split: readonly number[];
  readonly perm: readonly number[];
  readonly shape: readonly number[];
  readonly layout: string;
}

/** The groups of one side: `"B (Y P) C"` is `[["B"], ["Y", "P"], ["C"]]`. */
const groupsOf = (side: string): string[][] =>
  [...side.matchAll(/\(([^)]*)\)|(\S+)/g)].map((m) =>
    (m[1] ?? m[2] ?? "").split(" ").filter((name) => name !== ""),
  );

/** @throws {ShapeError} where the sizes do not fit the pattern. */
export function rearrangement(
  pattern: string,
  shape: readonly number[],
  sizes: Readonly<Record<string, number>> = {},
): Rearrangement {
  const [left = "", right = ""] = pattern.split("->").map((side) => side.trim());
  const [from, to] = [groupsOf(left), groupsOf(right)];
  const size = axisSizes(pattern, from, shape, sizes);
  const [names, wanted] = [from.flat(), to.flat()];
  for (const name of new Set([...names, ...wanted])) {
    const [before, after] = [names, wanted].map((list) => list.filter((n) => n === name).length);
    const onlyAdded = before === 0 && after === 1 && size.get(name) === 1;
    if (!onlyAdded && (before !== 1 || after !== 1)) {
      throw new ShapeError(
        `rearrange: ${name} must stand once on each side, received "${pattern}"`,
      );
    }
  }
  const lengths = (group: readonly string[]) =>
    group.reduce((n, name) => n * (size.get(name) ?? 1), 1);
  const way = (before: readonly string[], after: readonly string[], joined: boolean) => {
    const runs = joined ? joinRuns(before, after) : before.map((axis) => [axis]);
    const order = runs.map((run) => after.indexOf(run[0] ?? ""));
    const perm = order.map((_, i) => i).sort((x, y) => (order[x] ?? 0) - (order[y] ?? 0));
    return { split: runs.map(lengths), perm };
  };
  // Axes of length 1 may lie anywhere: left out, what remains shows whether anything moves at all. But they can
  // cost a Reshape, so the plain way is tried too.
  const real = (list: readonly string[]) => list.filter((name) => size.get(name) !== 1);
  const result = to.map(lengths);
  const cost = ({ split, perm }: ReturnType<typeof way>) => {
    if (same(perm, range(perm.length))) return same(shape, result) ? 0 : 1;
    const moved = perm.map((axis) => split[axis] ?? 0);
    return 1 + (same(shape, split) ? 0 : 1) + (same(moved, result) ? 0 : 1);
  };
  const [short, plain] = [way(real(names), real(wanted), true), way(names, wanted, false)];
  const best = names.length !== wanted.length || cost(short) <= cost(plain) ? short : plain;
  const still = same(best.perm, range(best.perm.length));
  return {
    split: still ? result : best.split,
    perm: still ? range(result.length) : best.perm,
    shape: result,
    layout: to.map((group) => group.join("")).join(" "),
  };
}

/** The length of every axis; one unknown a group follows from the rest. */
function axisSizes(
  pattern: string,
  from: readonly (readonly string[])[],
  shape: readonly number[],
  given: Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  const size = new Map(Object.entries(given));
  if (from.length !== shape.length) {
    throw new ShapeError(
      `rearrange: "${pattern}" takes ${from.length} axes, received [${shape.join(" ")}]`,
    );
  }
  for (const [i, group] of from.entries()) {
    const whole = shape[i] ?? 0;
    const open = group.filter((name) => !size.has(name));
    const known = group.reduce((n, name) => n * (size.get(name) ?? 1), 1);
    const [unknown] = open;
    if (open.length > 1) {
      throw new ShapeError(
        `rearrange: the sizes of all but one of ${group.join(", ")} must be given, received "${pattern}"`,
      );
    }
    if (unknown === undefined ? known !== whole : whole % known !== 0) {
      throw new ShapeError(
        `rearrange: (${group.join(" ")}) must ${unknown === undefined ? "be" : "divide by"} ${known}, received ${whole} of [${shape.join(" ")}] in "${pattern}"`,
      );
    }
    if (unknown !== undefined) size.set(unknown, whole / known);
  }
  return size;
}

/** Joins axes that follow each other on both sides. */
function joinRuns(before: readonly string[], after: readonly string[]): string[][] {
  const runs: string[][] = [];
  for (const name of before) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const follows = last !== undefined && after[after.indexOf(last) + 1] === name;
    if (run !== undefined && follows) run.push(name);
    else runs.push([name]);
  }
  return runs;
}
