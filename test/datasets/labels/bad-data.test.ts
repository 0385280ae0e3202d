import { describe, expect, test } from "vitest";
import type { LabelledDataset } from "../../../datasets/index.ts";
import {
  LabelsError,
  boxLabel,
  checked,
  classTable,
  formatCoco,
  parseCoco,
  parseCocoResults,
  parseDota,
  parseGeojson,
  parseVoc,
  parseYolo,
  withoutFaults,
} from "../../../datasets/index.ts";

const image = { file: "a.png", width: 100, height: 50 };
const coco = {
  images: [{ id: 7, file_name: "a.png", width: 100, height: 50 }],
  categories: [{ id: 3, name: "ship" }],
  annotations: [{ id: 1, image_id: 7, category_id: 3, bbox: [1, 2, 3, 4] }],
};

/** Each names the file, the record, what must hold and what came. */
const SENTENCES: readonly (readonly [string, () => unknown, string])[] = [
  [
    "COCO of an unknown image",
    () => parseCoco(JSON.stringify({ ...coco, images: [] }), "t.json"),
    "t.json: annotations[0].image_id: must be the id of image of the set, received 7",
  ],
  [
    "COCO of an unknown class",
    () => parseCoco(JSON.stringify({ ...coco, categories: [] }), "t.json"),
    "t.json: annotations[0].category_id: must be the id of category of the set, received 3",
  ],
  [
    "COCO with one id for two categories",
    () =>
      parseCoco(
        JSON.stringify({ ...coco, categories: [...coco.categories, { id: 3, name: "plane" }] }),
        "t.json",
      ),
    "t.json: categories: each must have an id of its own, received 3 twice",
  ],
  ["text that is no JSON", () => parseCoco("{", "t.json"), "t.json: must be JSON, received text"],
  [
    "COCO with three numbers for a box",
    () =>
      parseCoco(
        JSON.stringify({
          ...coco,
          annotations: [{ image_id: 7, category_id: 3, bbox: [1, 2, 3] }],
        }),
        "t.json",
      ),
    "t.json: annotations[0].bbox: must be x, y, width, height, received 1, 2, 3",
  ],
  [
    "COCO with NaN as text",
    () =>
      parseCoco(
        JSON.stringify({
          ...coco,
          annotations: [{ image_id: 7, category_id: 3, bbox: [1, 2, "x", 4] }],
        }),
        "t.json",
      ),
    't.json: annotations[0].bbox[2]: must be a number, received "x"',
  ],
  [
    "DOTA with seven coordinates",
    () => parseDota("gsd:0.1\n1 2 3 4 5 6 7 ship 0", "t.txt", image, classTable()),
    't.txt: line 2: must be eight coordinates, a class and difficult, received "1 2 3 4 5 6 7 ship 0"',
  ],
  [
    "DOTA of an unknown class",
    () => parseDota("1 2 3 4 5 6 7 8 tank 0", "t.txt", image, classTable(["ship", "plane"])),
    't.txt: line 1: the class must be one of ship, plane, received "tank"',
  ],
  [
    "YOLO with too few numbers",
    () => parseYolo("0 0.5 0.5\n", "t.txt", image, "yolo"),
    "t.txt: line 1: must be a class and a box of four or an outline, received 3 numbers",
  ],
  [
    "YOLO with words",
    () => parseYolo("ship 0.5 0.5 0.1 0.1", "t.txt", image, "yolo"),
    't.txt: line 1: must be numbers, received "ship 0.5 0.5 0.1 0.1"',
  ],
  [
    "VOC without a box",
    () =>
      parseVoc(
        "<annotation><filename>a</filename><size><width>1</width><height>1</height></size><object><name>x</name></object></annotation>",
        "t.xml",
        classTable(),
      ),
    "t.xml: object 1: must have a <bndbox>, received none",
  ],
  [
    "XML that ends early",
    () => parseVoc("<annotation><object>", "t.xml", classTable()),
    "t.xml: must be a whole XML document, received one that ends inside <object>",
  ],
  [
    "GeoJSON on the map without a scene",
    () => parseGeojson('{"features":[]}', "t.geojson"),
    "t.geojson: coordinates on the map need the scene they were found in, received no scene",
  ],
  [
    "GeoJSON points",
    () =>
      parseGeojson(
        '{"nadir":{"coordinates":"pixel","source":"a","width":9,"height":9},"features":[{"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"class":"x"}}]}',
        "t.geojson",
      ),
    "t.geojson: features[0]: the geometry must be a polygon, received Point",
  ],
];

describe("bad labels", () => {
  test.each(SENTENCES)("%s: one sentence with file and record", (_name, read, sentence) => {
    expect(read).toThrow(LabelsError);
    expect(read).toThrow(sentence);
  });
});

function set(...boxes: readonly (readonly [number, number, number, number])[]): LabelledDataset {
  const facts = { ...image, id: undefined, gsdM: undefined, labelledClasses: undefined };
  return {
    classes: ["ship"],
    images: [{ ...facts, objects: boxes.map((box) => boxLabel(0, box)) }],
  };
}

describe("checked", () => {
  test("refuses an empty set, a box without area, one outside, and a class beyond the table", () => {
    expect(() => checked({ classes: ["ship"], images: [] }, "t")).toThrow(
      "t: must hold at least one image, received none",
    );
    expect(() => checked(set([1, 1, 2, 2], [5, 5, 5, 9], [7, 7, 7, 7]), "t")).toThrow(
      "t: image a.png, object 2: the box must have an area, received 5 5 5 9 (and 1 more)",
    );
    expect(() => checked(set([120, 5, 140, 9]), "t")).toThrow(
      "t: image a.png, object 1: the box must lie in the image of 100×50 px, received 120 5 140 9",
    );
    const one = set([1, 1, 2, 2]);
    expect(() => checked({ ...one, classes: [] }, "t")).toThrow("the class must be below 0");
  });

  test("lets a box pass that the image cuts", () => {
    expect(checked(set([-5, 5, 20, 60]), "t")).toEqual(set([-5, 5, 20, 60]));
  });

  test("can leave out what is at fault and say what that was", () => {
    const { dataset, faults } = withoutFaults(set([1, 1, 2, 2], [5, 5, 5, 9]), "t");
    expect(dataset).toEqual(set([1, 1, 2, 2]));
    expect(faults).toMatchObject([{ image: 0, object: 1 }]);
  });
});

describe("COCO", () => {
  test("images of one id are at fault, whichever the annotations mean; the others are not", () => {
    const [image7] = coco.images;
    const images = [
      image7,
      { ...image7, file_name: "b.png" },
      { ...image7, id: 8, file_name: "c" },
    ];
    const read = parseCoco(JSON.stringify({ ...coco, images }), "t.json");
    const { dataset, faults } = withoutFaults(read, "t.json");
    expect(dataset.images.map(({ file }) => file)).toEqual(["c"]);
    expect(faults.map(({ message }) => message)).toEqual([
      "t.json: image a.png: must have an id of its own, received 7, which another has too",
      "t.json: image b.png: must have an id of its own, received 7, which another has too",
    ]);
  });

  test("info gives the ground resolution of images that do not say their own", () => {
    const images = [coco.images[0], { ...coco.images[0], id: 8, file_name: "b.png", gsd_m: 0.3 }];
    const read = parseCoco(JSON.stringify({ ...coco, info: { gsd_m: 0.5 }, images }), "t.json");
    expect(read.images.map(({ gsdM }) => gsdM)).toEqual([0.5, 0.3]);
    expect(() => parseCoco(JSON.stringify({ ...coco, info: { gsd_m: "1" } }), "t.json")).toThrow(
      't.json: info.gsd_m: must be a number, received "1"',
    );
  });

  test("an area of its own is kept, as of a mask; that of box or outline goes without saying", () => {
    const [annotation] = coco.annotations;
    const areaOf = (more: object): readonly [number | undefined, number] => {
      const text = JSON.stringify({ ...coco, annotations: [{ ...annotation, ...more }] });
      const set = parseCoco(text, "t.json");
      expect(parseCoco(formatCoco(set), "again.json")).toEqual(set);
      const written = JSON.parse(formatCoco(set)) as { annotations: { area: number }[] };
      return [set.images[0]?.objects[0]?.areaPx2, written.annotations[0]!.area];
    };
    expect(areaOf({})).toEqual([undefined, 12]);
    expect(areaOf({ area: 12 })).toEqual([undefined, 12]);
    expect(areaOf({ segmentation: [[1, 2, 4, 2, 4, 6]], area: 6 })).toEqual([undefined, 6]);
    expect(areaOf({ segmentation: { counts: [], size: [1, 1] }, area: 7 })).toEqual([7, 7]);
    expect(areaOf({ segmentation: [[]] })).toEqual([undefined, 12]);
  });
});

describe("COCO results", () => {
  test("find their images and classes by the ids of the truth, whatever these are", () => {
    const truth = parseCoco(JSON.stringify(coco), "t.json");
    const results = [{ image_id: 7, category_id: 3, bbox: [10, 20, 5, 6], score: 0.5 }];
    const read = parseCocoResults(JSON.stringify(results), "r.json", truth);
    expect(read.images[0]?.objects).toEqual([boxLabel(0, [10, 20, 15, 26], { score: 0.5 })]);
    const strange = JSON.stringify([{ ...results[0], image_id: 8 }]);
    expect(() => parseCocoResults(strange, "r.json", truth)).toThrow(
      "r.json: [0].image_id: must be the id of image of the set, received 8",
    );
  });
});
