import { describe, expect, test } from "vitest";
import type { ColourRole } from "../../datasets/index.ts";
import { chooseBands, toColours } from "../../pipeline/bands.ts";

const sceneOf = (...roles: ColourRole[]) => ({
  bands: roles.map((role) => ({ role })),
  palette: undefined,
});
const bandsOf = ({ read, channels }: ReturnType<typeof chooseBands>): number[] =>
  channels.map((i) => (read[i] ?? -1) + 1);

describe("chooseBands", () => {
  test.each<[string, readonly ColourRole[], number, number[]]>([
    ["RGB", ["red", "green", "blue"], 3, [1, 2, 3]],
    ["RGBA leaves alpha out", ["red", "green", "blue", "alpha"], 3, [1, 2, 3]],
    ["NIR first, by role", ["undefined", "red", "green", "blue"], 3, [2, 3, 4]],
    ["stored as BGR, by role", ["blue", "green", "red"], 3, [3, 2, 1]],
    ["grey is repeated", ["grey"], 3, [1, 1, 1]],
    ["grey with alpha is repeated", ["grey", "alpha"], 3, [1, 1, 1]],
    ["six bands without roles: the first three", Array(6).fill("undefined"), 3, [1, 2, 3]],
    [
      "four channels take the near infrared",
      ["red", "green", "blue", "undefined"],
      4,
      [1, 2, 3, 4],
    ],
    ["one channel of a grey scene", ["grey"], 1, [1]],
    ["two channels (radar)", ["undefined", "undefined"], 2, [1, 2]],
  ])("%s", (_, roles, channels, expected) => {
    expect(bandsOf(chooseBands(sceneOf(...roles), channels))).toEqual(expected);
  });

  test("each band is read once", () => {
    expect(chooseBands(sceneOf("grey"), 3)).toMatchObject({ read: [0], channels: [0, 0, 0] });
  });

  test("a guess is said, a certainty is not", () => {
    expect(chooseBands(sceneOf(...Array(6).fill("undefined")), 3).warning).toMatch(
      /no roles: taking 1, 2, 3/,
    );
    expect(chooseBands(sceneOf("red", "green", "blue"), 3).warning).toBeUndefined();
  });

  test("the caller's bands win, and one band serves all channels", () => {
    const scene = sceneOf("undefined", "undefined", "undefined", "undefined");
    expect(bandsOf(chooseBands(scene, 3, [4, 3, 2]))).toEqual([4, 3, 2]);
    expect(bandsOf(chooseBands(scene, 3, [2]))).toEqual([2, 2, 2]);
  });

  test("bands that are not there, too few or too many are refused in one sentence", () => {
    const scene = sceneOf("red", "green", "blue", "alpha");
    expect(() => chooseBands(scene, 3, [1, 2, 7])).toThrow("bands must lie in 1…4, received 7");
    expect(() => chooseBands(scene, 3, [1, 2])).toThrow("takes 3 channels, received bands 1, 2");
    expect(() => chooseBands(scene, 4)).toThrow(
      "takes 4 channels, received a scene of 1, 2, 3 (red, green, blue)",
    );
  });

  test("a palette is expanded to its colours", () => {
    const palette = Uint8Array.of(0, 0, 0, 10, 20, 30, 40, 50, 60);
    const choice = chooseBands({ bands: [{ role: "palette" }], palette }, 3);
    const out = toColours(
      { width: 2, height: 1, bands: [Uint8Array.of(2, 1)], valid: undefined },
      choice,
    );
    expect(out.bands.map((band) => [...band])).toEqual([
      [40, 10],
      [50, 20],
      [60, 30],
    ]);
  });

  test("a model of one channel sees the luma of a colour scene", () => {
    const choice = chooseBands(sceneOf("red", "green", "blue"), 1);
    const pixel = {
      width: 1,
      height: 1,
      bands: [Uint8Array.of(100), Uint8Array.of(200), Uint8Array.of(50)],
      valid: undefined,
    };
    expect(toColours(pixel, choice).bands[0]?.[0]).toBeCloseTo(29.9 + 117.4 + 5.7, 4);
  });
});
