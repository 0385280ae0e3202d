import { describe, expect, test } from "vitest";
import { type ImagePlace, LabelsError, apply, parseGeojson } from "../../../datasets/index.ts";
import { crsFromEpsg, crsFromText } from "../../../datasets/node.ts";

const utm33 = crsFromEpsg(32633);
const scene: ImagePlace = {
  file: "scene.tif",
  width: 400,
  height: 300,
  transform: [0.5, 0, 500_000, 0, -0.5, 5_400_000],
  crs: utm33,
};
const pixels = [100, 80, 140, 80, 140, 110, 100, 110];
const onMap = [0, 2, 4, 6].map((k) => apply(scene.transform!, pixels[k]!, pixels[k + 1]!));
const onEarth = onMap.map(([x, y]) => utm33.toLonLat(x, y));

type Points = readonly (readonly [number, number])[];

function file(points: Points, crs?: unknown, properties: object = {}): string {
  const geometry = { type: "Polygon", coordinates: [[...points, points[0]]] };
  const feature = { type: "Feature", geometry, properties: { class: "ship", ...properties } };
  return JSON.stringify({ type: "FeatureCollection", crs, features: [feature] });
}

const named = (name: string): unknown => ({ type: "name", properties: { name } });

function boxIn(text: string, image: ImagePlace = scene): readonly number[] {
  const { images } = parseGeojson(text, "t.geojson", { image, crsFrom: crsFromText });
  return images[0]!.objects[0]!.box;
}

const expectBox = (box: readonly number[]): void =>
  box.forEach((value, i) => expect(value).toBeCloseTo([100, 80, 140, 110][i]!, 4));

describe("the crs of a GeoJSON file", () => {
  test.each([
    undefined,
    null,
    named("urn:ogc:def:crs:OGC:1.3:CRS84"),
    named("urn:ogc:def:crs:OGC::CRS84"),
    named("http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
    named("urn:ogc:def:crs:EPSG::4326"),
    named("EPSG:4326"),
  ])("%j means longitude and latitude", (crs) => expectBox(boxIn(file(onEarth, crs))));

  test.each(["EPSG:32633", "urn:ogc:def:crs:EPSG::32633", "urn:ogc:def:crs:EPSG:6.9:32633"])(
    "%s, that of the scene, is read without a detour, also where the scene does not say its own",
    (name) => {
      expect(boxIn(file(onMap, named(name)))).toEqual([100, 80, 140, 110]);
      const silent = { ...scene, crs: undefined };
      expect(boxIn(file(onMap, named(name)), silent)).toEqual([100, 80, 140, 110]);
    },
  );

  test.each([3857, 32634, 4258])("EPSG:%d, another one, is converted", (code) => {
    const other = crsFromEpsg(code);
    const points = onEarth.map(([lon, lat]) => other.fromLonLat(lon, lat));
    expectBox(boxIn(file(points, named(`http://www.opengis.net/def/crs/EPSG/0/${code}`))));
  });

  test("that is none, or not known, is said", () => {
    const read = (crs: unknown) => () => boxIn(file(onMap, crs));
    expect(read(named("urn:ogc:def:crs:IAU::30100"))).toThrow(
      "t.geojson: crs: must name CRS84 or a code of EPSG, received urn:ogc:def:crs:IAU::30100",
    );
    expect(read(named("EPSG:999999"))).toThrow(
      "t.geojson: crs: must be one that is known (crsFromEpsg: the code must have a definition in the EPSG table, received EPSG:999999)",
    );
    expect(read({ type: "link", properties: {} })).toThrow(
      "t.geojson: crs: must be given by its name, received link",
    );
    expect(read("EPSG:4326")).toThrow(LabelsError);
  });

  test("in longitude and latitude needs the CRS of the scene", () => {
    const silent = { ...scene, crs: undefined };
    expect(() => boxIn(file(onEarth, named("urn:ogc:def:crs:OGC:1.3:CRS84")), silent)).toThrow(
      "t.geojson: coordinates on the map need the scene they were found in, received no scene",
    );
  });
});

describe("a GeoJSON set", () => {
  const images = ["a.png", "b.png"].map((name) => ({ file: name, width: 400, height: 300 }));
  const set = (nadir: object, properties?: object): string =>
    JSON.stringify({ nadir, ...(JSON.parse(file(onMap, undefined, properties)) as object) });

  test("of two images says whose a feature is that names none", () => {
    expect(() => parseGeojson(set({ coordinates: "pixel", images }), "t.geojson")).toThrow(
      "t.geojson: features[0]: the image must be named, of 2 in the set, received none",
    );
    expect(() =>
      parseGeojson(set({ coordinates: "pixel", images }, { image: "c.png" }), "t.geojson"),
    ).toThrow("t.geojson: features[0]: the image must be one of the set, received c.png");
  });

  test("with a transform of other than six numbers is refused", () => {
    const nadir = { coordinates: "source", source: "a.png", width: 9, height: 9 };
    expect(() => parseGeojson(set({ ...nadir, transform: [1, 0, 0, 0] }), "t.geojson")).toThrow(
      "t.geojson: nadir.transform: must be six numbers, received 4",
    );
  });
});
