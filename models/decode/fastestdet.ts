/**
 * FastestDet: one grid of stride 16, channels first: objectness, offset, size, classes (softmax).
 * Score = objectness^0.6 · class^0.4; centre = cell + tanh(offset), size = sigmoid, as a fraction of the input.
 *
 * https://github.com/dog-qiuqiu/FastestDet
 */
import { FASTESTDET } from "./habits.ts";
import type { Head } from "./head.ts";
import { bestOfRows, decodeTiles, named, type Table, toFloats } from "./table.ts";

const BOX = 5;

export const fastestDet: Head = {
  name: "fastestdet",
  layout: "(B, 5 + classes, Y, X): objectness, offset x y, size w h, class scores",
  match({ probe, width, height }, asked) {
    const [only, ...others] = Object.entries(probe);
    if (only === undefined || others.length > 0) return undefined;
    const [name, { dims }] = only;
    const [, channels = 0, rows = 0, columns = 0] = dims;
    if (dims.length !== 4 || channels <= BOX) return undefined;
    const isGrid = rows === Math.ceil(height / 16) && columns === Math.ceil(width / 16);
    if (!asked && !isGrid) return undefined;
    return {
      classCount: channels - BOX,
      oriented: false,
      reasons: [
        `Output ${name} is one map of ${columns} × ${rows} cells: stride 16.`,
        `Its ${channels} channels are objectness, a box and ${channels - BOX} classes.`,
      ],
      notices: [],
      habits: FASTESTDET,
      decode(outputs, context) {
        const output = named(outputs, name);
        const data = toFloats(output);
        const [, , Y = 0, X = 0] = output.dims;
        const step = Y * X;
        const table = {
          data,
          rows: step,
          columns: channels,
          itemStep: channels * step,
          rowStep: 1,
          columnStep: step,
        } satisfies Table;
        return decodeTiles(context, "upright", (item, into) => {
          const { scores, classes } = bestOfRows(table, item, BOX, channels);
          for (let cell = 0, at = item * table.itemStep; cell < step; cell++, at++) {
            const score = data[at]! ** 0.6 * scores[cell]! ** 0.4;
            if (!into.wants(score)) continue;
            const x = (((cell % X) + Math.tanh(data[at + step]!)) / X) * context.width;
            const y =
              ((Math.floor(cell / X) + Math.tanh(data[at + 2 * step]!)) / Y) * context.height;
            const w = sigmoid(data[at + 3 * step]!) * context.width;
            const h = sigmoid(data[at + 4 * step]!) * context.height;
            into.addCentred(score, classes[cell]!, x, y, w, h);
          }
        });
      },
    };
  },
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
