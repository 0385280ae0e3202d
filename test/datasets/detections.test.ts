import { describe, expect, test } from "vitest";
import {
  type Detections,
  concatDetections,
  coordinates,
  filterDetections,
  fromCentres,
  noDetections,
  rotatedToCorners,
  sliceDetections,
  takeDetections,
  toBounds,
} from "../../datasets/index.ts";

const three: Detections<"scene"> = {
  count: 3,
  boxes: fromCentres("scene", Float64Array.of(1, 1, 2, 2, 5, 5, 2, 4, 9, 9, 6, 2)),
  scores: Float32Array.of(0.5, 0.25, 0.75),
  classes: Uint16Array.of(0, 1, 2),
};

describe("columns of detections", () => {
  test("rows are taken in the order asked for", () => {
    const taken = takeDetections(three, [2, 0]);
    expect([...coordinates(taken.boxes)]).toEqual([6, 8, 12, 10, 0, 0, 2, 2]);
    expect([...taken.scores]).toEqual([0.75, 0.5]);
    expect([...taken.classes]).toEqual([2, 0]);
  });

  test("a filter that keeps all gives the very same detections", () => {
    expect(filterDetections(three, () => true)).toBe(three);
    expect(filterDetections(three, (row) => three.scores[row]! > 0.4).count).toBe(2);
  });

  test("a slice shares its memory", () => {
    const last = sliceDetections(three, 2, 3);
    expect([...last.scores]).toEqual([0.75]);
    expect(last.scores.buffer).toBe(three.scores.buffer);
    expect([...coordinates(last.boxes)]).toEqual([6, 8, 12, 10]);
  });

  test("slices put together are the whole", () => {
    expect(
      concatDetections("scene", [sliceDetections(three, 0, 1), sliceDetections(three, 1, 3)]),
    ).toEqual(three);
    expect(concatDetections("scene", [noDetections("scene", "oriented"), three])).toBe(three);
    expect(concatDetections("scene", [])).toEqual(noDetections("scene"));
  });

  test("upright boxes beside oriented ones become oriented", () => {
    const turned: Detections<"scene"> = {
      count: 1,
      boxes: rotatedToCorners("scene", Float64Array.of(0, 0, 4, 2, Math.PI / 4)),
      scores: Float32Array.of(1),
      classes: Uint16Array.of(3),
    };
    const mixed = concatDetections("scene", [three, turned]);
    expect(mixed.boxes.kind).toBe("oriented");
    expect(mixed.count).toBe(4);
    expect([...coordinates(mixed.boxes).subarray(0, 8)]).toEqual([0, 0, 2, 0, 2, 2, 0, 2]);
    expect([...toBounds(mixed.boxes).xyxy.subarray(0, 12)]).toEqual([...coordinates(three.boxes)]);
  });
});

// @ts-expect-error a tile's detections are no scene's
const wrong: Detections<"scene"> = noDetections("tile");
void wrong;
