import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  boxLabel,
  type LabelledDataset,
  tileDataset,
  tileLabels,
} from "../../../datasets/index.ts";

const [WIDTH, HEIGHT] = [700, 500];

function setOf(boxes: readonly (readonly [number, number, number, number])[]): LabelledDataset {
  const facts = { id: 3, gsdM: 0.3, labelledClasses: [0] };
  const objects = boxes.map((box) => boxLabel(0, box));
  return {
    classes: ["ship"],
    images: [{ ...facts, file: "s.tif", width: WIDTH, height: HEIGHT, objects }],
  };
}

const box = fc
  .tuple(
    fc.integer({ min: 0, max: WIDTH - 60 }),
    fc.integer({ min: 0, max: HEIGHT - 60 }),
    fc.integer({ min: 2, max: 60 }),
    fc.integer({ min: 2, max: 60 }),
  )
  .map(([x, y, w, h]) => [x, y, x + w, y + h] as const);

describe("tileDataset", () => {
  property.prop([box, fc.integer({ min: 100, max: 800 }), fc.integer({ min: 60, max: 90 })])(
    "an object no longer than the overlap lies whole in some tile",
    (one, sizePx, overlapPx) => {
      const { images } = tileDataset(setOf([one]), { sizePx, overlapPx });
      const [width, height] = [one[2] - one[0], one[3] - one[1]];
      const whole = images.flatMap(({ objects }) =>
        objects.filter(
          ({ box: [x1, y1, x2, y2], difficult }) =>
            x2 - x1 === width && y2 - y1 === height && !difficult,
        ),
      );
      expect(whole.length).toBeGreaterThan(0);
    },
  );

  property.prop([fc.array(box, { minLength: 1, maxLength: 8 }), fc.integer({ min: 90, max: 800 })])(
    "tiles keep to the image, carry its facts and have names of their own; no label leaves its tile",
    (boxes, sizePx) => {
      const { images } = tileDataset(setOf(boxes), { sizePx });
      expect(new Set(images.map(({ file }) => file)).size).toBe(images.length);
      for (const { file, width, height, objects, gsdM, labelledClasses } of images) {
        const [, x = 0, y = 0] = /^s\.tif@(\d+),(\d+)$/.exec(file)?.map(Number) ?? [];
        expect(x + width <= WIDTH && y + height <= HEIGHT).toBe(true);
        expect({ gsdM, labelledClasses }).toEqual({ gsdM: 0.3, labelledClasses: [0] });
        for (const {
          box: [x1, y1, x2, y2],
        } of objects) {
          expect(x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height).toBe(true);
        }
      }
    },
  );

  test("tiles without overlap share the area of every box among them", () => {
    const boxes = [
      [190, 180, 260, 240],
      [10, 10, 50, 60],
    ] as const;
    const { images } = tileDataset(setOf(boxes), { sizePx: 100, traceAtLeast: 0 });
    const area = images
      .flatMap(({ objects }) => objects)
      .reduce((sum, { box: [x1, y1, x2, y2] }) => sum + (x2 - x1) * (y2 - y1), 0);
    expect(area).toBeCloseTo(70 * 60 + 40 * 50, 9);
  });

  test("an overlap as large as the tile is refused", () => {
    expect(() => tileDataset(setOf([]), { sizePx: 100, overlapPx: 100 })).toThrow(
      "tileDataset: overlapPx must be less than sizePx, received overlapPx 100, sizePx 100",
    );
  });
});

test("tileLabels cuts at windows of any place and size", () => {
  const [image] = setOf([[10, 10, 30, 30]]).images;
  const [tile] = tileLabels(image!, [{ x: 20.5, y: 0, width: 64.25, height: 40 }]);
  expect(tile).toMatchObject({ file: "s.tif@21,0", id: undefined, width: 64.25 });
  expect(tile?.objects).toMatchObject([{ box: [0, 10, 9.5, 30], difficult: true }]);
});
