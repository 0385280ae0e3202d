import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LabelledDataset } from "../../../datasets/index.ts";
import {
  classTable,
  formatCoco,
  formatDota,
  formatGeojson,
  formatVoc,
  formatYolo,
  parseCoco,
  parseDota,
  parseGeojson,
  parseVoc,
  parseYolo,
} from "../../../datasets/index.ts";
import type { Holds } from "./arbitrary.ts";
import { dataset } from "./arbitrary.ts";

type RoundTrip = (set: LabelledDataset) => LabelledDataset;

const EVERYTHING: Holds = {
  upright: true,
  oriented: true,
  polygons: true,
  manyRings: true,
  difficult: true,
  crowd: true,
  gsd: true,
  labelledClasses: true,
};
const NOTHING: Holds = {
  upright: false,
  oriented: false,
  polygons: false,
  manyRings: false,
  difficult: false,
  crowd: false,
  gsd: false,
  labelledClasses: false,
};

function imagesOneByOne(
  roundTrip: (
    image: LabelledDataset["images"][number],
    set: LabelledDataset,
  ) => LabelledDataset["images"][number],
): RoundTrip {
  return (set) => ({
    classes: set.classes,
    images: set.images.map((image) => roundTrip(image, set)),
  });
}

/** What each format holds, and its way there and back. */
const FORMATS: readonly (readonly [string, Holds, RoundTrip])[] = [
  [
    "coco",
    EVERYTHING,
    (set) => {
      const read = parseCoco(formatCoco(set), "set.json");
      return { ...read, images: read.images.map((image) => ({ ...image, id: undefined })) };
    },
  ],
  ["geojson", EVERYTHING, (set) => parseGeojson(formatGeojson(set), "set.geojson")],
  [
    "dota",
    { ...NOTHING, oriented: true, difficult: true, gsd: true },
    imagesOneByOne((image, { classes }) =>
      parseDota(formatDota(image, classes), "image.txt", image, classTable(classes)),
    ),
  ],
  [
    "voc",
    { ...NOTHING, upright: true, oriented: true, difficult: true },
    imagesOneByOne((image, { classes }) =>
      parseVoc(formatVoc(image, classes), "image.xml", classTable(classes)),
    ),
  ],
  [
    "yolo",
    { ...NOTHING, upright: true, polygons: true },
    imagesOneByOne((image) => parseYolo(formatYolo(image, "yolo"), "image.txt", image, "yolo")),
  ],
  [
    "yolo-obb",
    { ...NOTHING, oriented: true },
    imagesOneByOne((image) =>
      parseYolo(formatYolo(image, "yolo-obb"), "image.txt", image, "yolo-obb"),
    ),
  ],
];

/** Numbers to the millionth of a pixel: fractions of a width come back with that much left. */
function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === "number" ? Math.round(each * 1e6) / 1e6 : (each ?? null),
    ),
  );
}

describe.each(FORMATS)("%s", (_name, holds, roundTrip) => {
  test("read after written is what was written", () => {
    fc.assert(
      fc.property(dataset(holds), (set) => {
        expect(rounded(roundTrip(set))).toEqual(rounded(set));
      }),
      { numRuns: 100 },
    );
  });
});
