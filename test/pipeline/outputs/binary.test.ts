/** The binary formats, read back by other people's readers; by GDAL too where this machine has it. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { geojson as flatgeobuf } from "flatgeobuf";
import type { Feature, FeatureCollection, Polygon } from "geojson";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import sqlite from "node-sqlite3-wasm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FormatName, FoundObject, OutputContext } from "../../../pipeline/index.ts";
import { FORMATS } from "../../../pipeline/index.ts";
import { openOutput } from "../../../pipeline/node.ts";
import { context, objects, withoutGround } from "./objects.ts";

const COUNT = 700;
const WRITTEN = [
  ...(["geojson", "geojson-seq", "gpkg", "parquet", "fgb", "csv"] as const),
  ...(["coco", "yolo", "yolo-obb", "dota"] as const),
];

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-binary-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(
  format: FormatName,
  found: Iterable<FoundObject>,
  facts: OutputContext = context,
  name = `${format}-${facts.crs}`,
): Promise<string> {
  const path = join(folder, name + FORMATS[format].extension);
  await using output = await openOutput(format, path, facts);
  for (const object of found) await output.write(object);
  await output.finish();
  return path;
}

async function reference(facts: OutputContext = context): Promise<readonly Feature<Polygon>[]> {
  const path = await write("geojson", objects(COUNT), facts, `reference-${facts.crs}`);
  const read = JSON.parse(await readFile(path, "utf8")) as FeatureCollection<Polygon>;
  return read.features;
}

/** By score, which no two objects share. */
function byScore(features: readonly Feature<Polygon>[]): readonly Feature<Polygon>[] {
  return features.toSorted((a, b) => a.properties?.["score"] - b.properties?.["score"]);
}

/** What differs: attributes at all, coordinates by more than the last decimal that GeoJSON writes. */
function differences(
  read: readonly Feature<Polygon>[],
  expected: readonly Feature<Polygon>[],
  tolerance = 1e-9,
): readonly string[] {
  if (read.length !== expected.length) return [`${read.length} features, not ${expected.length}`];
  const sorted = byScore(read);
  return byScore(expected).flatMap(({ geometry, properties }, i) => {
    const ring = sorted[i]?.geometry.coordinates[0]?.flat() ?? [];
    const isNear = geometry.coordinates[0]
      ?.flat()
      .every((value, k) => Math.abs((ring[k] ?? Infinity) - value) <= tolerance);
    const hasAll = Object.entries(properties ?? {}).every(
      ([name, value]) => sorted[i]?.properties?.[name] === value,
    );
    return isNear === true && hasAll ? [] : [JSON.stringify([sorted[i], properties])];
  });
}

function fromWkb(wkb: Uint8Array): Polygon {
  const view = new DataView(wkb.buffer, wkb.byteOffset, wkb.byteLength);
  expect([view.getUint8(0), view.getUint32(1, true), view.getUint32(5, true)]).toEqual([1, 3, 1]);
  const points = view.getUint32(9, true);
  expect(wkb).toHaveLength(13 + 16 * points);
  const ring = Array.from({ length: points }, (_, i) => [
    view.getFloat64(13 + 16 * i, true),
    view.getFloat64(21 + 16 * i, true),
  ]);
  return { type: "Polygon", coordinates: [ring] };
}

describe("geopackage", () => {
  test("holds every object, its CRS and its bounds", async () => {
    const path = await write("gpkg", objects(COUNT), { ...context, crs: "source" });
    const database = new sqlite.Database(path, { readOnly: true });
    const rows = database.all("SELECT * FROM objects ORDER BY fid");
    const features = rows.map(({ geom, ...properties }): Feature<Polygon> => ({
      type: "Feature",
      geometry: fromWkb((geom as Uint8Array).subarray(40)),
      properties,
    }));
    expect(differences(features, await reference({ ...context, crs: "source" }), 1e-4)).toEqual([]);
    expect(
      database
        .all("SELECT srs_id FROM gpkg_spatial_ref_sys ORDER BY srs_id")
        .map((r) => r["srs_id"]),
    ).toEqual([-1, 0, 4326, 32633]);
    const contents = database.get("SELECT * FROM gpkg_contents");
    expect(contents).toMatchObject({ table_name: "objects", data_type: "features", srs_id: 32633 });
    expect(contents?.["min_x"]).toBeGreaterThan(600_000);
    database.close();
  });

  test("has an index of every row, whose boxes hold the outlines", async () => {
    const path = await write("gpkg", objects(3000), context, "index"); // three levels
    const database = new sqlite.Database(path, { readOnly: true });
    const blobs = new Map(
      database
        .all("SELECT nodeno, data FROM rtree_objects_geom_node")
        .map((r) => [Number(r["nodeno"]), r["data"] as Uint8Array]),
    );
    const rows = new Map(
      database
        .all("SELECT fid, geom FROM objects")
        .map((r) => [Number(r["fid"]), fromWkb((r["geom"] as Uint8Array).subarray(40))]),
    );
    const found: number[] = [];
    const visit = (number: number, depth: number): void => {
      const data = blobs.get(number) ?? new Uint8Array(4);
      const view = new DataView(data.buffer, data.byteOffset);
      for (let at = 4; at < 4 + 24 * view.getUint16(2); at += 24) {
        const id = Number(view.getBigInt64(at));
        if (depth > 0) {
          visit(id, depth - 1);
          continue;
        }
        found.push(id);
        for (const [x = NaN, y = NaN] of rows.get(id)?.coordinates[0] ?? []) {
          expect(x).toBeGreaterThanOrEqual(view.getFloat32(at + 8));
          expect(x).toBeLessThanOrEqual(view.getFloat32(at + 12));
          expect(y).toBeGreaterThanOrEqual(view.getFloat32(at + 16));
          expect(y).toBeLessThanOrEqual(view.getFloat32(at + 20));
        }
      }
    };
    const root = blobs.get(1) ?? new Uint8Array(2);
    visit(1, new DataView(root.buffer, root.byteOffset).getUint16(0));
    expect(found.toSorted((a, b) => a - b)).toEqual([...rows.keys()]);
    database.close();
  });
});

describe("geoparquet", () => {
  test("holds every object, and says what its geometry is", async () => {
    const path = await write("parquet", objects(COUNT));
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const geo = metadata.key_value_metadata?.find(({ key }) => key === "geo")?.value ?? "";
    expect(JSON.parse(geo)).toMatchObject({
      version: "1.1.0",
      primary_column: "geometry",
      columns: { geometry: { encoding: "WKB", geometry_types: ["Polygon"] } },
    });
    const rows = await parquetReadObjects({ file, metadata, utf8: false });
    const features = rows.map(({ geometry, ...properties }): Feature<Polygon> => ({
      type: "Feature",
      geometry: geometry as Polygon, // the reader knows GeoParquet
      properties,
    }));
    expect(differences(features, await reference())).toEqual([]);
  });

  test("describes a source CRS as PROJJSON, and refuses one that it cannot describe", async () => {
    const path = await write("parquet", objects(1), { ...context, crs: "source" });
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    const geo = metadata.key_value_metadata?.find(({ key }) => key === "geo")?.value ?? "";
    expect(JSON.parse(geo).columns.geometry.crs).toMatchObject({
      type: "ProjectedCRS",
      id: { authority: "EPSG", code: 32633 },
      conversion: { method: { id: { code: 9807 } } },
    });
    const { crs } = context.scene;
    if (crs === undefined) throw new Error("the fixture has a CRS");
    const scene = { ...context.scene, crs: { ...crs, epsg: 2056 } };
    await expect(
      write("parquet", objects(1), { ...context, scene, crs: "source" }, "swiss"),
    ).rejects.toThrow(/cannot describe CH1903\+ \/ LV95, its projection is Hotine/);
  });
});

describe("flatgeobuf", () => {
  test("holds every object", async () => {
    const bytes = await readFile(await write("fgb", objects(COUNT)));
    const features: Feature<Polygon>[] = [];
    for await (const feature of flatgeobuf.deserialize(new Uint8Array(bytes))) {
      features.push(feature as Feature<Polygon>);
    }
    expect(differences(features, await reference())).toEqual([]);
  });

  test("has an index that finds what a window touches, and nothing else", async () => {
    const bytes = await readFile(await write("fgb", objects(COUNT)));
    const features = await reference();
    const window = { minX: 16.464, minY: 52.147, maxX: 16.47, maxY: 52.151 };
    const inside = features.filter(({ geometry }) => {
      const ring = geometry.coordinates[0] ?? [];
      const [xs, ys] = [ring.map(([x = 0]) => x), ring.map(([, y = 0]) => y)];
      return (
        Math.min(...xs) <= window.maxX &&
        Math.max(...xs) >= window.minX &&
        Math.min(...ys) <= window.maxY &&
        Math.max(...ys) >= window.minY
      );
    });
    const found: Feature<Polygon>[] = [];
    vi.spyOn(console, "debug").mockReturnValue(); // the reader tells its every step
    for await (const feature of flatgeobuf.deserialize(new Uint8Array(bytes), { rect: window })) {
      found.push(feature as Feature<Polygon>);
    }
    expect(inside.length).toBeGreaterThan(10);
    expect(differences(found, inside)).toEqual([]);
  });
});

describe.each(WRITTEN)("%s", (format) => {
  test("gives the same bytes twice", async () => {
    const first = await readFile(await write(format, objects(100), context, "first"));
    const second = await readFile(await write(format, objects(100), context, "second"));
    expect(first.equals(second)).toBe(true);
  });

  test("can be empty, and in pixels", async () => {
    const pixels = { ...context, crs: "pixel" } as const;
    await expect(write(format, [], context, "empty")).resolves.toBeTruthy();
    await expect(
      write(format, [...objects(3)].map(withoutGround), pixels, "pixels"),
    ).resolves.toBeTruthy();
  });
});

function hasGdal(): boolean {
  try {
    execFileSync("ogr2ogr", ["--version"], { stdio: "pipe" });
    return true;
  } catch {
    console.log("skipped: reading the outputs with GDAL (no ogr2ogr on this machine)");
    return false;
  }
}

describe.skipIf(!hasGdal())("GDAL", () => {
  function read(path: string, ...options: readonly string[]): readonly Feature<Polygon>[] {
    const text = execFileSync(
      "ogr2ogr",
      ["-f", "GeoJSON", "/vsistdout/", path, "-lco", "COORDINATE_PRECISION=15", ...options],
      { maxBuffer: 1 << 28, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    return (JSON.parse(text) as FeatureCollection<Polygon>).features;
  }

  test.each(["geojson", "geojson-seq", "gpkg", "fgb"] as const)(
    "reads %s with the same geometry and attributes",
    async (format) => {
      expect(differences(read(await write(format, objects(COUNT))), await reference())).toEqual([]);
    },
  );

  test.each(["gpkg", "fgb"] as const)(
    "finds through %s's index what it finds without",
    async (format) => {
      const path = await write(format, objects(COUNT));
      const window = ["-spat", "16.464", "52.147", "16.47", "52.151"];
      const layer = format === "gpkg" ? "objects" : "harbour one";
      const without = [
        ...window,
        "-dialect",
        "SQLite",
        "-sql",
        `SELECT * FROM "${layer}" WHERE ST_Intersects(${format === "gpkg" ? "geom" : "geometry"}, BuildMbr(16.464, 52.147, 16.47, 52.151))`,
      ];
      const found = read(path, ...window);
      expect(found.length).toBeGreaterThan(10);
      expect(differences(found, read(path, ...without))).toEqual([]);
    },
  );

  test.each(["geojson", "gpkg", "fgb"] as const)("knows the source CRS of %s", async (format) => {
    const path = await write(format, objects(5), { ...context, crs: "source" });
    const text = execFileSync("ogrinfo", ["-al", "-so", path], { encoding: "utf8" });
    expect(text).toContain('ID["EPSG",32633]');
  });
});
