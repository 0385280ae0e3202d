/** Rearranging, cutting, joining and picking. */
import type { Graph, Rearranged } from "../../../attention/index.ts";
import { ShapeError, volume } from "../../../attention/index.ts";
import { concat, expand, pad, reshape, slice, transpose } from "../operations/write.ts";
import { rearrangement } from "../rearrange.ts";
import { axisIn, give, take } from "./desk.ts";
import type { Place } from "./desk.ts";

export function layoutPart({
  desk,
  w,
}: Place): Pick<
  Graph,
  "rearrange" | "rename" | "expand" | "reshape" | "concat" | "slice" | "pad" | "gather" | "topK"
> {
  return {
    rearrange<const P extends string>(
      x: Parameters<Graph["rearrange"]>[0],
      pattern: P,
      sizes: Readonly<Record<string, number>> = {},
    ) {
      const { split, perm, shape, layout } = rearrangement(pattern, x.shape, sizes);
      const moved = transpose(w, reshape(w, take(desk, x), split), perm);
      // The same fold over the pattern, once for the compiler and once here.
      return give(desk, layout as Rearranged<P>, reshape(w, moved, shape));
    },
    rename: (x, layout) => give(desk, layout, take(desk, x)),
    expand: (x, layout, shape) => give(desk, layout, expand(w, take(desk, x), shape)),
    reshape(x, layout, shape) {
      if (volume(shape) !== volume(x.shape)) {
        throw new ShapeError(
          `reshape: [${shape.join(" ")}] must hold the ${volume(x.shape)} values of [${x.layout}] [${x.shape.join(" ")}], received room for ${volume(shape)}`,
        );
      }
      return give(desk, layout, reshape(w, take(desk, x), shape));
    },
    concat(parts, axis) {
      const [head] = parts;
      if (head === undefined)
        throw new RangeError("concat: parts must not be empty, received none");
      const at = axisIn("concat", head, axis);
      for (const part of parts) {
        const differs = head.shape.findIndex((size, i) => i !== at && size !== part.shape[i]);
        if (differs >= 0 || part.shape.length !== head.shape.length) {
          throw new ShapeError(
            `concat: ${head.layout.split(" ")[differs] ?? "rank"} is ${head.shape[differs] ?? head.shape.length} in [${head.shape.join(" ")}] but ${part.shape[differs] ?? part.shape.length} in [${part.shape.join(" ")}]`,
          );
        }
      }
      return give(
        desk,
        head.layout,
        concat(
          w,
          parts.map((part) => take(desk, part)),
          at,
        ),
      );
    },
    slice(x, axis, start, end) {
      const at = axisIn("slice", x, axis);
      const size = x.shape[at] ?? 0;
      if (start < 0 || end > size || start >= end) {
        throw new ShapeError(`slice: ${axis} is ${size}, received [${start}, ${end})`);
      }
      return give(desk, x.layout, slice(w, take(desk, x), at, start, end));
    },
    pad(x, axis, before, after, value = 0) {
      const at = axisIn("pad", x, axis);
      const only = (size: number) => x.shape.map((_, i) => (i === at ? size : 0));
      return give(desk, x.layout, pad(w, take(desk, x), only(before), only(after), value));
    },
    gather(x, axis, indices, layout) {
      const attributes = { axis: axisIn("gather", x, axis) };
      return give(desk, layout, w.node("Gather", [take(desk, x), take(desk, indices)], attributes));
    },
    topK(x, k) {
      const attributes = { axis: -1, largest: 1, sorted: 1 };
      const [values, indices] = w.nodes("TopK", [take(desk, x), w.ints([k])], attributes, 2);
      if (values === undefined || indices === undefined) throw new TypeError("topK: two outputs");
      return { values: give(desk, x.layout, values), indices: give(desk, x.layout, indices) };
    },
  };
}
