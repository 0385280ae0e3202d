import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { CARD_KEY, readMetadata } from "../../models/index.ts";
import { parsePython } from "../../models/python-literal.ts";

describe("parsePython", () => {
  test.each([
    ["{0: 'person', 1: \"it's\"}", { 0: "person", 1: "it's" }],
    ["{'a': [1, 2.5, -3e-2], 'b': (True, None)}", { a: [1, 2.5, -0.03], b: [true, null] }],
    [String.raw`'tab\tquote\'\x41\u00e9'`, "tab\tquote'Aé"],
    ["[]", []],
    ["640", 640],
    ["", undefined],
    ["[1, 2", [1, 2]],
    ["os.system('x')", undefined],
  ])("%s", (text, value) => {
    expect(parsePython(text)).toEqual(value);
  });

  test.prop([fc.array(fc.string({ unit: "grapheme-ascii" }))])(
    "lists of any strings",
    (strings) => {
      const text = `[${strings.map((s) => `'${s.replaceAll(/[\\']/g, String.raw`\$&`)}'`).join(", ")}]`;
      expect(parsePython(text)).toEqual(strings);
    },
  );

  test.prop([fc.string()])("any text ends in a value or in undefined", (text) => {
    expect(() => parsePython(text)).not.toThrow();
  });
});

describe("readMetadata", () => {
  test("image sizes of Ultralytics are height first", () => {
    expect(readMetadata({ imgsz: "[480, 640]", stride: "32" }).size).toEqual({
      width: 640,
      height: 480,
    });
  });

  test("gaps between named classes are filled", () => {
    const { classes } = readMetadata({ names: "{0: 'a', 3: 'd'}" });
    expect(classes).toEqual(["a", "class 1", "class 2", "d"]);
  });

  test("what cannot be read is left out", () => {
    const metadata = readMetadata({
      class_names: "no names",
      resolution: "fine",
      tiles_size: "-4",
      standardization_mean: "[]",
    });
    expect(metadata).toMatchObject({
      dialect: "deepness",
      classes: undefined,
      gsdM: undefined,
      size: undefined,
      mean: undefined,
    });
  });

  test("a card with parts missing is left out", () => {
    expect(readMetadata({ [CARD_KEY]: '{"classes": ["a"]}' })).toEqual({ dialect: "nadir" });
    expect(readMetadata({ [CARD_KEY]: "null" })).toEqual({ dialect: "nadir" });
  });
});
