import { describe, expect, test } from "vitest";
import type { FeatureCollection, MultiPolygon, Polygon } from "geojson";
import { classTable, parseCoco, parseDota, parseYolo } from "../../../datasets/index.ts";
import type { FormatName, FoundObject, OutputContext } from "../../../pipeline/index.ts";
import { FORMATS, encode, formatNamed, memorySpool } from "../../../pipeline/index.ts";
import { context, objects, withoutGround } from "./objects.ts";

async function textOf(
  format: FormatName,
  found: Iterable<FoundObject>,
  facts: OutputContext = context,
): Promise<string> {
  const create = await FORMATS[format].encoder?.();
  if (create === undefined) throw new Error(`${format} has no encoder`);
  const parts: Uint8Array[] = [];
  for await (const bytes of encode(found, create(facts, memorySpool()))) parts.push(bytes);
  return Buffer.concat(parts).toString("utf8");
}

function area(ring: readonly (readonly number[])[]): number {
  return ring.slice(0, -1).reduce((sum, [x = 0, y = 0], i) => {
    const [u = 0, v = 0] = ring[i + 1] ?? [];
    return sum + (x * v - u * y) / 2;
  }, 0);
}

describe("geojson", () => {
  test("is a feature collection whose rings are closed and counter-clockwise", async () => {
    const found = [...objects(50)];
    const read = JSON.parse(await textOf("geojson", found)) as FeatureCollection<Polygon>;
    expect(read.type).toBe("FeatureCollection");
    expect(read.features).toHaveLength(50);
    for (const { geometry } of read.features) {
      const ring = geometry.coordinates[0] ?? [];
      expect(ring).toHaveLength(5);
      expect(ring[4]).toEqual(ring[0]);
      expect(area(ring)).toBeGreaterThan(0);
    }
  });

  test("holds every corner to a millionth of a pixel, and the attributes", async () => {
    const found = [...objects(20)];
    const read = JSON.parse(await textOf("geojson", found)) as FeatureCollection<Polygon>;
    found.forEach(({ lonLat, ground, class: name, classIndex }, i) => {
      const { geometry, properties } = read.features[i] ?? {};
      const corners = new Set((geometry?.coordinates[0] ?? []).map(String));
      for (let k = 0; k < 4; k++) {
        const near = [...corners].some((corner) => {
          const [x = 0, y = 0] = corner.split(",").map(Number);
          return (
            Math.abs(x - (lonLat?.[2 * k] ?? 0)) <= 1e-12 &&
            Math.abs(y - (lonLat?.[2 * k + 1] ?? 0)) <= 1e-12
          );
        });
        expect(near).toBe(true);
      }
      expect(properties).toMatchObject({ class: name, class_id: classIndex });
      expect(properties?.["length_m"]).toBeCloseTo(ground?.lengthM ?? 0, 2);
    });
  });

  test("of nothing is an empty collection", async () => {
    expect(JSON.parse(await textOf("geojson", []))).toMatchObject({ features: [] });
  });

  test("in the source's plane names its CRS", async () => {
    const text = await textOf("geojson", objects(1), { ...context, crs: "source" });
    expect(JSON.parse(text)).toMatchObject({
      crs: { type: "name", properties: { name: "urn:ogc:def:crs:EPSG::32633" } },
    });
  });

  test("of a scene that lies nowhere is in pixels, without metres", async () => {
    const found = [...objects(3)].map(withoutGround);
    const text = await textOf("geojson", found, { ...context, crs: "pixel" });
    const read = JSON.parse(text) as FeatureCollection & { nadir: unknown };
    expect(read.nadir).toMatchObject({ coordinates: "pixel", source: "harbour one.tif" });
    expect(read.features[0]?.properties).not.toHaveProperty("length_m");
    await expect(textOf("geojson", found)).rejects.toThrow(/need a georeferenced scene/);
  });
});

describe("geojson across the antimeridian", () => {
  test("is cut in two rings that stay within ±180 and keep the area", async () => {
    const [object] = objects(1);
    if (object === undefined) throw new Error("there is one");
    const lonLat = Float64Array.of(179.9, 0, -179.8, 0.1, -179.8, -0.2, 179.9, -0.3);
    const read = JSON.parse(
      await textOf("geojson", [{ ...object, lonLat }]),
    ) as FeatureCollection<MultiPolygon>;
    const { coordinates = [], type } = read.features[0]?.geometry ?? {};
    expect(type).toBe("MultiPolygon");
    const rings = coordinates.map(([ring = []]) => ring);
    expect(rings).toHaveLength(2);
    expect(rings.flat(2).every((value) => Math.abs(value) <= 180)).toBe(true);
    expect(rings.reduce((sum, ring) => sum + area(ring), 0)).toBeCloseTo(0.3 * 0.3, 9);
    for (const ring of rings) expect(area(ring)).toBeGreaterThan(0);
  });
});

describe("geojson-seq", () => {
  test("is one feature between a record separator and a line feed", async () => {
    const text = await textOf("geojson-seq", objects(7));
    const records = text.split("\u001e").slice(1);
    expect(records).toHaveLength(7);
    for (const record of records) {
      expect(record.endsWith("\n")).toBe(true);
      expect(JSON.parse(record)).toMatchObject({ type: "Feature" });
    }
  });
});

describe("csv", () => {
  test("quotes commas and quotation marks and ends lines with CR LF", async () => {
    const text = await textOf("csv", objects(30));
    const lines = text.split("\r\n");
    expect(lines).toHaveLength(32);
    expect(lines[0]?.startsWith("class,class_id,score,length_m")).toBe(true);
    expect(text).toContain('"ship, large",1,');
    expect(text).toContain('"say ""vehicle""",2,');
  });
});

describe("coco", () => {
  test("is a set of one image whose annotations carry scores and corners", async () => {
    const found = [...objects(30)];
    const set = parseCoco(await textOf("coco", found), "scene.coco.json");
    expect(set.classes).toEqual(context.classes);
    expect(set.images).toMatchObject([{ file: "harbour one.tif", width: 4000, height: 3000 }]);
    const read = set.images[0]?.objects ?? [];
    found.forEach((object, i) => {
      expect(read[i]?.classIndex).toBe(object.classIndex);
      expect(read[i]?.score).toBeCloseTo(object.score, 6);
      object.corners.forEach((value, k) => expect(read[i]?.corners?.[k]).toBeCloseTo(value, 3));
    });
  });
});

describe.each(["yolo-obb", "dota"] as const)("%s", (format) => {
  test("read back gives the corners, classes and scores", async () => {
    const found = [...objects(30)];
    const text = await textOf(format, found);
    const image = { file: "harbour one.tif", width: 4000, height: 3000 };
    const names = classTable(context.classes.map((name) => name.replaceAll(" ", "-")));
    const { objects: read, gsdM } =
      format === "dota"
        ? parseDota(text, "scene.txt", image, names)
        : parseYolo(text, "scene.txt", image, format);
    expect(gsdM).toBe(format === "dota" ? 0.5 : undefined);
    found.forEach((object, i) => {
      expect(read[i]?.classIndex).toBe(object.classIndex);
      expect(read[i]?.score).toBeCloseTo(object.score, 6);
      object.corners.forEach((value, k) => expect(read[i]?.corners?.[k]).toBeCloseTo(value, 3));
    });
  });
});

describe("yolo", () => {
  test("writes the upright box round an oriented one", async () => {
    const [object] = objects(1);
    if (object === undefined) throw new Error("there is one");
    const [index, cx = 0, cy = 0, w = 0, h = 0] = (await textOf("yolo", [object]))
      .split(" ")
      .map(Number);
    const [xs, ys] = [
      object.corners.filter((_, i) => i % 2 === 0),
      object.corners.filter((_, i) => i % 2 === 1),
    ];
    expect(index).toBe(object.classIndex);
    expect((cx + w / 2) * 4000).toBeCloseTo(Math.max(...xs), 3);
    expect((cy - h / 2) * 3000).toBeCloseTo(Math.min(...ys), 3);
  });
});

describe("formats", () => {
  test("are named by title, extension or alias in any case", () => {
    expect(formatNamed(".GeoJSON")).toBe("geojson");
    expect(() => formatNamed("shp")).toThrow(/must be one of .*geojson.*, received "shp"/);
  });
});
