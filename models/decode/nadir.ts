/** Our own networks: boxes in pixels of the input and a probability for each class, decoded inside the graph. */
import { ULTRALYTICS } from "./habits.ts";
import type { Decode, Facts, Head } from "./head.ts";
import { bestOfRows, decodeTiles, named, toTable } from "./table.ts";

/** Numbers of a box: corners, or centre with size and angle, or four corners. */
const BOX = {
  4: "x1 y1 x2 y2",
  5: "x y w h and an angle in radians",
  8: "four corners, clockwise",
} as const;

export const nadir: Head = {
  name: "nadir",
  layout:
    "boxes (B, N, 4 | 5 | 8): corners, x y w h angle, or x1 y1 … x4 y4; scores (B, N, classes)",
  match(facts) {
    const found = pair(facts);
    if (found === undefined) return undefined;
    const { form, rows, classCount } = found;
    return {
      classCount,
      oriented: form !== 4,
      reasons: [
        `Outputs boxes and scores hold ${rows} boxes (${BOX[form]}) with ${classCount} class scores each.`,
      ],
      notices: [],
      habits: ULTRALYTICS,
      decode: decodePair(form),
    };
  },
};

function pair({
  probe,
}: Facts):
  | { readonly form: keyof typeof BOX; readonly rows: number; readonly classCount: number }
  | undefined {
  const [boxes, scores] = [probe["boxes"], probe["scores"]];
  if (boxes?.dims.length !== 3 || scores?.dims.length !== 3) return undefined;
  const [, rows = 0, form = 0] = boxes.dims;
  if (!(form === 4 || form === 5 || form === 8) || scores.dims[1] !== rows) return undefined;
  return { form, rows, classCount: scores.dims[2] ?? 0 };
}

function decodePair(form: keyof typeof BOX): Decode {
  return (outputs, context) => {
    const boxes = toTable(named(outputs, "boxes"));
    const scores = toTable(named(outputs, "scores"));
    const { data } = boxes;
    return decodeTiles(context, form === 4 ? "upright" : "oriented", (item, into) => {
      const best = bestOfRows(scores, item, 0, scores.columns);
      for (let row = 0; row < scores.rows; row++) {
        const score = best.scores[row]!;
        if (!into.wants(score)) continue;
        const [at, klass] = [item * boxes.itemStep + row * form, best.classes[row]!];
        const [a, b, c, d] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
        if (form === 4) into.addCorners(score, klass, a, b, c, d);
        else if (form === 5) into.addTurned(score, klass, [a, b, c, d, data[at + 4]!]);
        else into.addQuad(score, klass, data.subarray(at, at + 8));
      }
    });
  };
}
