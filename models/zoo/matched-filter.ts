/**
 * A detector without training: banks of matched filters, one filter for each shape, size and direction of an object.
 *
 *     score = max over filters of |⟨window, filter⟩| / ‖window − its mean‖
 *
 * which is 1 where the window shows the filter's shape on an even ground, whatever the contrast, light on dark or dark
 * on light. North, "Analysis of the factors which determine signal/noise discrimination", 1943, for the filter; Lewis,
 * "Fast normalized cross-correlation", 1995, for the normalising.
 *
 * It knows ships, vehicles and storage tanks on even ground at half a metre per pixel: enough to try a whole pipeline
 * with, on a scene of `synthesise`, and a floor for what a trained network must beat.
 */
import type { Graph, Value } from "../../attention/index.ts";
import type { ModelCard } from "../card.ts";
import { buildGraph } from "../onnx/builder.ts";
import { toOnnx } from "../onnx/model.ts";
import { CARD_KEY } from "../metadata.ts";

export const MATCHED_FILTER_CLASSES: readonly string[] = ["ship", "vehicle", "storage-tank"];

/** Sizes in pixels of the network's input. */
interface Shape {
  readonly classIndex: number;
  readonly shape: "rectangle" | "ellipse" | "hull";
  readonly length: number;
  readonly width: number;
  /** From the x axis towards the y axis. */
  readonly angle: number;
}

/** Filters that look at one resolution. */
interface Bank {
  readonly name: string;
  /** Pixels of the input in one of the bank's. */
  readonly stride: number;
  /** Side of the window in the bank's pixels, odd. */
  readonly window: number;
  /** Objects that one filter's window may hold besides the best, hidden: the reach of suppression. */
  readonly reach: number;
  readonly shapes: readonly Shape[];
}

/** Rows that each bank puts out. */
const ROWS = 300;
/** Deviation of a window that is taken for noise, in 0…1. */
const NOISE = 8 / 255;

/** The same shape in `directions`, spread over `turn` radians. */
const turned = (shape: Omit<Shape, "angle">, directions: number, turn: number): Shape[] =>
  Array.from({ length: directions }, (_, i) => ({ ...shape, angle: (i * turn) / directions }));

const BANKS: readonly Bank[] = [
  {
    name: "small",
    stride: 2,
    window: 9,
    reach: 3,
    shapes: turned({ classIndex: 1, shape: "rectangle", length: 9.6, width: 4.2 }, 12, Math.PI),
  },
  {
    name: "round",
    stride: 4,
    window: 13,
    reach: 3,
    shapes: [17, 21, 26, 31.5].map((size) => ({
      classIndex: 2,
      shape: "ellipse" as const,
      length: size,
      width: size,
      angle: 0,
    })),
  },
  {
    name: "long",
    stride: 4,
    window: 23,
    reach: 4,
    // A hull is not the same when turned by half a circle.
    shapes: [44, 53, 64].flatMap((length) =>
      turned({ classIndex: 0, shape: "hull", length, width: 14 }, 20, 2 * Math.PI),
    ),
  },
];

/**
 * The detector as the bytes of an ONNX file: `images` `[1 3 size size]` in, `boxes` (x y w h angle) and `scores` out.
 *
 * @param sizePx side of the input, a multiple of 32
 */
export function buildMatchedFilter({
  sizePx = 640,
}: { readonly sizePx?: number } = {}): Uint8Array {
  if (sizePx % 32 !== 0 || sizePx < 64) {
    throw new RangeError(
      `buildMatchedFilter: sizePx must be a multiple of 32 and at least 64, received ${sizePx}`,
    );
  }
  const graph = buildGraph("matched-filter", (g) => {
    const images = g.input("images", "B C Y X", [1, 3, sizePx, sizePx]);
    const luma = g.constant("O I Y X", [1, 3, 1, 1], Float32Array.of(0.299, 0.587, 0.114));
    const grey = g.conv(images, luma, undefined);
    const found = BANKS.map((bank) => look(g, grey, bank, sizePx));
    return {
      boxes: g.concat(
        found.map(({ boxes }) => boxes),
        "N",
      ),
      scores: g.concat(
        found.map(({ scores }) => scores),
        "N",
      ),
    };
  });
  const metadata = { [CARD_KEY]: JSON.stringify(cardOf(sizePx)) };
  return toOnnx(graph, new Map(), { metadata });
}

function cardOf(sizePx: number): Omit<ModelCard, "sha256"> {
  return {
    name: "matched filters",
    classes: MATCHED_FILTER_CLASSES,
    input: {
      name: "images",
      width: sizePx,
      height: sizePx,
      batch: 1,
      channels: 3,
      layout: "B C Y X",
      order: "rgb",
      mean: [0, 0, 0],
      std: [255, 255, 255],
      fit: "pad",
      padValue: 114,
      type: "float32",
    },
    gsdM: { from: 0.5, to: 0.5 },
    scoreAtLeast: 0.75,
    overlapPx: 96,
    oriented: true,
    provenance: {},
    licence: "Apache-2.0",
  };
}

interface Rows {
  readonly boxes: Value<"B N V">;
  readonly scores: Value<"B N K">;
}

/** The best {@link ROWS} places of one bank. */
function look(g: Graph, grey: Value<"B C Y X">, bank: Bank, sizePx: number): Rows {
  const { stride, window, shapes } = bank;
  const side = sizePx / stride;
  const map = stride === 1 ? grey : g.averagePool(grey, stride, { stride });
  const filters = g.constant("O I Y X", [shapes.length, 1, window, window], filterBank(bank));
  const padded = edgePadded(g, map, (window - 1) / 2);
  const answers = g.unary("abs", g.conv(padded, filters, undefined));
  const score = g.div(g.reduce("max", answers, ["C"]), contrast(g, padded, window));
  const peaks = suppress(g, score, bank.reach);

  const flat = g.rename(g.rearrange(peaks, "B C Y X -> B (C Y X)"), "B N");
  const top = g.topK(flat, Math.min(ROWS, side * side));
  const places = g.rename(g.rearrange(top.indices, "B N -> (B N)"), "N");
  const byPlace = g.rename(g.rearrange(answers, "B C Y X -> (B Y X) C"), "N C");
  const best = g.topK(g.gather(byPlace, "N", places, "N C"), 1).indices;
  const chosen = g.rename(g.rearrange(best, "N C -> (N C)"), "N");

  const centre = g.gather(centres(g, side, stride), "N", places, "N V");
  const sizes = g.constant(
    "F V",
    [shapes.length, 3],
    rowsOf(shapes, ({ length, width, angle }) => [length, width, angle]),
  );
  const classes = g.constant(
    "F K",
    [shapes.length, 3],
    rowsOf(shapes, ({ classIndex }) => [0, 1, 2].map((k) => (k === classIndex ? 1 : 0))),
  );
  const numbers = g.concat([centre, g.gather(sizes, "F", chosen, "N V")], "V");
  const scores = g.mul(
    g.gather(classes, "F", chosen, "N K"),
    g.reshape(top.values, "N K", [top.values.shape[1] ?? 0, 1]),
  );
  const count = numbers.shape[0] ?? 0;
  return {
    boxes: g.reshape(numbers, "B N V", [1, count, 5]),
    scores: g.reshape(scores, "B N K", [1, count, 3]),
  };
}

/** The map with its outermost pixels repeated, so that its edge is no edge of an object. */
function edgePadded(g: Graph, map: Value<"B C Y X">, by: number): Value<"B C Y X"> {
  const repeat = (x: Value<"B C Y X">, axis: "Y" | "X"): Value<"B C Y X"> => {
    const length = x.shape[axis === "Y" ? 2 : 3] ?? 0;
    const first = Array.from({ length: by }, () => g.slice(x, axis, 0, 1));
    const last = Array.from({ length: by }, () => g.slice(x, axis, length - 1, length));
    return g.concat([...first, x, ...last], axis);
  };
  return repeat(repeat(map, "Y"), "X");
}

/** Root of the summed squares of a window about its mean, noise added so that an even ground scores nothing. */
function contrast(g: Graph, padded: Value<"B C Y X">, window: number): Value<"B C Y X"> {
  const mean = g.averagePool(padded, window, { stride: 1 });
  const square = g.averagePool(g.mul(padded, padded), window, { stride: 1 });
  const variance = g.binary("max", g.sub(square, g.mul(mean, mean)), 0);
  const count = window * window;
  return g.unary("sqrt", g.add(g.scale(variance, count), count * NOISE * NOISE * 0.1));
}

/** Zero wherever a neighbour scores higher. */
function suppress(g: Graph, score: Value<"B C Y X">, reach: number): Value<"B C Y X"> {
  const highest = g.maxPool(score, 2 * reach + 1, { stride: 1, pad: reach });
  return g.where(g.binary("equal", score, highest), score, 0);
}

/** Middle of every cell in pixels of the input, `x y`. */
function centres(g: Graph, side: number, stride: number): Value<"N V"> {
  const at = (i: number): number => (i + 0.5) * stride;
  const values = Float32Array.from({ length: side * side * 2 }, (_, i) => {
    const cell = i >> 1;
    return at(i % 2 === 0 ? cell % side : Math.floor(cell / side));
  });
  return g.constant("N V", [side * side, 2], values);
}

const rowsOf = (shapes: readonly Shape[], row: (shape: Shape) => readonly number[]): Float32Array =>
  Float32Array.from(shapes.flatMap(row));

/** All filters of a bank: each the picture of its shape, with mean 0 and norm 1. */
function filterBank({ shapes, window, stride }: Bank): Float32Array {
  const size = window * window;
  const all = new Float32Array(shapes.length * size);
  shapes.forEach((shape, k) => {
    const picture = Float64Array.from({ length: size }, (_, i) =>
      cover(
        shape,
        ((i % window) - (window - 1) / 2) * stride,
        (Math.floor(i / window) - (window - 1) / 2) * stride,
        stride,
      ),
    );
    const mean = picture.reduce((a, b) => a + b) / size;
    const centred = picture.map((v) => v - mean);
    const norm = Math.hypot(...centred);
    all.set(
      centred.map((v) => v / norm),
      k * size,
    );
  });
  return all;
}

/** Share of a pixel of side `stride` round (x, y) that the shape covers, by 4 × 4 samples. */
function cover(shape: Shape, x: number, y: number, stride: number): number {
  let inside = 0;
  for (let i = 0; i < 16; i++) {
    const dx = (((i % 4) + 0.5) / 4 - 0.5) * stride;
    const dy = ((Math.floor(i / 4) + 0.5) / 4 - 0.5) * stride;
    if (contains(shape, x + dx, y + dy)) inside++;
  }
  return inside / 16;
}

function contains({ shape, length, width, angle }: Shape, x: number, y: number): boolean {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = (x * cos + y * sin) / (length / 2);
  const across = (y * cos - x * sin) / (width / 2);
  if (shape === "ellipse") return Math.hypot(along, across) <= 1;
  if (Math.abs(along) > 1) return false;
  const bow = shape === "hull" ? Math.max(0, (along - 0.4) / 0.6) : 0;
  return Math.abs(across) <= 1 - bow * bow;
}
