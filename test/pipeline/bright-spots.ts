/** A detector in plain loops: every connected patch of bright pixels is an object, boxed to the pixel. */
import { setTimeout } from "node:timers/promises";
import type { Detections } from "../../datasets/index.ts";
import type { ModelCard } from "../../models/index.ts";
import type { Detected, Detector } from "../../pipeline/index.ts";

export interface BrightSpots {
  /** Side of the input. */
  readonly sizePx: number;
  readonly gsdM?: number | undefined;
  readonly batch?: number | undefined;
  readonly classes?: readonly string[] | undefined;
  /** Score of a patch, by its area in pixels. @default 0.9 */
  readonly score?: (areaPx: number) => number;
  /** How long a run takes, in milliseconds. */
  readonly delayMs?: () => number;
}

/** Counts its calls, so that tests can see what was looked at. */
export function brightSpots({
  sizePx,
  gsdM,
  batch,
  classes = ["spot"],
  score = () => 0.9,
  delayMs,
}: BrightSpots): Detector & { readonly calls: () => number } {
  let calls = 0;
  const size = sizePx * sizePx;
  const detect = async (inputs: Float32Array, count: number): Promise<Detected> => {
    calls++;
    if (delayMs !== undefined) await setTimeout(delayMs());
    const perTile = Array.from({ length: count }, (_, i) =>
      patches(inputs.subarray(i * size, (i + 1) * size), sizePx, score),
    );
    const bestScores = Float32Array.from(perTile, ({ scores }) => Math.max(0, ...scores));
    return { perTile, bestScores };
  };
  const card: ModelCard = {
    name: "bright spots",
    sha256: "0".repeat(64),
    classes,
    input: {
      ...{ name: "x", width: sizePx, height: sizePx, batch, channels: 1, layout: "B C Y X" },
      ...{ order: "rgb", mean: [0], std: [1], fit: "pad", padValue: 0, type: "float32" },
    },
    gsdM: gsdM === undefined ? undefined : { from: gsdM, to: gsdM },
    scoreAtLeast: undefined,
    overlapPx: undefined,
    oriented: false,
    provenance: {},
  };
  return {
    card,
    notices: [],
    detect,
    calls: () => calls,
    [Symbol.asyncDispose]: async () => {},
  } as unknown as Detector & { readonly calls: () => number }; // summary and decision are of no use here
}

/** Boxes of the connected patches of values above 150. */
function patches(
  plane: Float32Array,
  side: number,
  score: (areaPx: number) => number,
): Detections<"tile"> {
  const seen = new Uint8Array(plane.length);
  const found: { readonly box: number[]; readonly area: number }[] = [];
  for (let start = 0; start < plane.length; start++) {
    if (seen[start] === 1 || plane[start]! <= 150) continue;
    let [x1, y1, x2, y2, area] = [side, side, 0, 0, 0];
    const stack = [start];
    seen[start] = 1;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const [x, y] = [at % side, Math.floor(at / side)];
      [x1, y1, x2, y2] = [
        Math.min(x1, x),
        Math.min(y1, y),
        Math.max(x2, x + 1),
        Math.max(y2, y + 1),
      ];
      area++;
      for (const next of [x > 0 ? at - 1 : -1, x < side - 1 ? at + 1 : -1, at - side, at + side]) {
        if (next < 0 || next >= plane.length || seen[next] === 1 || plane[next]! <= 150) continue;
        seen[next] = 1;
        stack.push(next);
      }
    }
    found.push({ box: [x1, y1, x2, y2], area });
  }
  return {
    count: found.length,
    boxes: {
      kind: "axis-aligned",
      frame: "tile",
      xyxy: Float64Array.from(found.flatMap(({ box }) => box)),
    },
    scores: Float32Array.from(found, ({ area }) => score(area)),
    classes: new Uint16Array(found.length),
  };
}
