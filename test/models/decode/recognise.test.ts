import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { type Facts, type OutputArray, readMetadata, recognise } from "../../../models/index.ts";

/** What is known of a file with nothing but outputs. */
const facts = (probe: Facts["probe"], width: number, height: number): Facts => ({
  summary: {
    bytes: 0,
    inputs: [],
    outputs: [],
    opset: 17,
    producer: "",
    metadata: {},
    nodeCount: 1,
    parameterCount: 0,
    foreignOperators: [],
    externalFiles: [],
  },
  metadata: readMetadata({}),
  classes: undefined,
  width,
  height,
  probe,
});

const cells = (width: number, height: number): number =>
  [8, 16, 32].reduce((sum, s) => sum + (width / s) * (height / s), 0);

/** A sigmoid never reaches 0 or 1: whole numbers in the place of scores would be class numbers. */
const NOTHING = 0.001;

/** A picture, its classes, and one object on it. */
const cases = fc
  .record({
    columns: fc.integer({ min: 2, max: 24 }),
    rows: fc.integer({ min: 2, max: 24 }),
    classCount: fc.integer({ min: 1, max: 120 }),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    klass: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    score: fc.double({ min: 0.3, max: 0.99, noNaN: true }),
  })
  .map(({ columns, rows, classCount, at, klass, score }) => {
    const [width, height] = [columns * 32, rows * 32];
    const count = cells(width, height);
    return {
      width,
      height,
      classCount,
      count,
      klass: Math.floor(klass * classCount),
      score,
      pick: (n: number) => Math.floor(at * n),
      box: [width / 2, height / 4, width / 3, height / 5] as const,
    };
  });
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Rows with one object, and the layout they are written in. */
function write(rows: number, columns: number, row: number, values: readonly number[]): OutputArray {
  const data = new Float32Array(rows * columns).fill(NOTHING);
  data.set(values, row * columns);
  return { dims: [1, rows, columns], data };
}

function turn({ dims, data }: OutputArray): OutputArray {
  const [, rows = 0, columns = 0] = dims;
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Number(data[(i % rows) * columns + Math.floor(i / rows)]);
  }
  return { dims: [1, columns, rows], data: out };
}

const oneHot = ({ classCount, klass }: Case, value: number): number[] =>
  Array.from({ length: classCount }, (_, i) => (i === klass ? value : NOTHING));

/** Recognises, decodes, and expects the one object. */
function expectFound(c: Case, name: string, output: OutputArray): void {
  fc.pre(output.dims[1] !== output.dims[2]); // a square could lie either way
  const decision = recognise(facts({ output }, c.width, c.height));
  expect([decision.name, decision.classCount]).toEqual([name, c.classCount]);
  const context = { width: c.width, height: c.height, batch: 1, scoreAtLeast: 0.25 };
  const { perTile, bestScores } = decision.decode({ output }, context);
  const [found] = perTile;
  expect(found?.count).toBe(1);
  expect(found?.classes[0]).toBe(c.klass);
  expect(found?.scores[0]).toBeCloseTo(c.score, 5);
  expect(bestScores[0]).toBe(found?.scores[0]);
  const [x, y, w, h] = c.box;
  const boxes = found!.boxes;
  const values = boxes.kind === "oriented" ? boxes.corners : boxes.xyxy;
  const expected =
    boxes.kind === "oriented"
      ? // Turned by 90°: the width runs down.
        [x + h / 2, y - w / 2, x + h / 2, y + w / 2, x - h / 2, y + w / 2, x - h / 2, y - w / 2]
      : [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
  for (const [i, v] of expected.entries()) expect(values[i]).toBeCloseTo(v, 2);
}

describe("any size and any number of classes", () => {
  test.prop([cases])("YOLOv5", (c) => {
    const rows = 3 * c.count;
    const row = [...c.box, 1, ...oneHot(c, c.score)];
    expectFound(c, "yolov5", write(rows, 5 + c.classCount, c.pick(rows), row));
  });

  test.prop([cases])("YOLOv8", (c) => {
    const row = [...c.box, ...oneHot(c, c.score)];
    expectFound(c, "yolov8", turn(write(c.count, 4 + c.classCount, c.pick(c.count), row)));
  });

  test.prop([cases])("YOLOv8-OBB", (c) => {
    const row = [...c.box, ...oneHot(c, c.score), Math.PI / 2];
    expectFound(c, "yolov8-obb", turn(write(c.count, 5 + c.classCount, c.pick(c.count), row)));
  });

  test.prop([cases])("YOLOX, raw", (c) => {
    const [row, step] = [c.pick(c.count), strideOf(c, c.pick(c.count))];
    const [column, line] = cellOf(c, row);
    const [x, y, w, h] = c.box;
    const output = write(c.count, 5 + c.classCount, row, [
      x / step - column,
      y / step - line,
      Math.log(w / step),
      Math.log(h / step),
      1,
      ...oneHot(c, c.score),
    ]);
    // Another cell with a box below its stride, as every picture has.
    Float32Array.prototype.set.call(
      output.data,
      [-1],
      ((row + 1) % c.count) * (5 + c.classCount) + 2,
    );
    expectFound(c, "yolox", output);
  });

  test.prop([cases])("YOLOX, decoded", (c) => {
    const row = [...c.box, 1, ...oneHot(c, c.score)];
    expectFound(c, "yolox-decoded", write(c.count, 5 + c.classCount, c.pick(c.count), row));
  });
});

/** Column and row of a cell in its grid. */
function cellOf({ width, height }: Case, index: number): readonly [number, number] {
  let rest = index;
  for (const s of [8, 16, 32]) {
    const count = (width / s) * (height / s);
    if (rest < count) return [rest % (width / s), Math.floor(rest / (width / s))];
    rest -= count;
  }
  throw new RangeError("cellOf: beyond the last cell");
}

function strideOf({ width, height }: Case, index: number): number {
  const fine = (width / 8) * (height / 8);
  if (index < fine) return 8;
  return index < fine + (width / 16) * (height / 16) ? 16 : 32;
}
