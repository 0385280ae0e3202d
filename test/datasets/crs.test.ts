/** Reference systems against PROJ, through GDAL (fixtures/gdal-crs.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Crs, crsFromEpsg, openSceneFromBlob, SceneError } from "../../datasets/index.ts";
import { crsFromEpsg as crsFromAnyEpsg, crsFromText } from "../../datasets/node.ts";
import { crsFromGeoKeys, datumWarning } from "../../datasets/crs.ts";

interface Facts {
  readonly x: number;
  readonly y: number;
  readonly lon: number;
  readonly lat: number;
  readonly metresPerUnit: number | null;
  readonly name?: string;
  /** A GeoTIFF whose keys define the CRS, base64. */
  readonly tiff?: string;
}

type Named = Readonly<Record<string, Facts>>;

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/gdal-crs.json", import.meta.url), "utf8"),
) as { readonly exact: Named; readonly shifted: Named; readonly defined: Named };

/** How far apart two places are, in metres, near enough for small distances. */
function metresApart([lon, lat]: readonly [number, number], facts: Facts): number {
  const east = (lon - facts.lon) * 111_320 * Math.cos((facts.lat * Math.PI) / 180);
  return Math.hypot(east, (lat - facts.lat) * 111_320);
}

function expectUnit(crs: Crs, { metresPerUnit }: Facts): void {
  if (metresPerUnit === null) expect(crs.kind).toBe("geographic");
  else expect(crs.metresPerUnit).toBeCloseTo(metresPerUnit, 12);
}

describe("crsFromEpsg", () => {
  test.each(Object.entries(fixture.exact))("EPSG:%s is where PROJ has it", (code, facts) => {
    const crs = crsFromAnyEpsg(Number(code));
    // Two millimetres: the authalic latitudes of proj4 and PROJ are series of different lengths.
    expect(metresApart(crs.toLonLat(facts.x, facts.y), facts)).toBeLessThan(2e-3);
    const [x, y] = crs.fromLonLat(facts.lon, facts.lat);
    const unit = crs.metresPerUnit ?? 111_320;
    expect(Math.hypot(x - facts.x, y - facts.y) * unit).toBeLessThan(2e-3);
    expect(datumWarning(crs)).toBeUndefined();
    expectUnit(crs, facts);
  });

  test.each(Object.entries(fixture.shifted))(
    "EPSG:%s is near to where PROJ has it",
    (code, facts) => {
      const crs = crsFromAnyEpsg(Number(code));
      // Published parameters instead of grids, or another set of them.
      expect(metresApart(crs.toLonLat(facts.x, facts.y), facts)).toBeLessThan(20);
      expectUnit(crs, facts);
    },
  );

  test("what a browser has is what the full table has", () => {
    for (const code of Object.keys(fixture.exact).map(Number)) {
      let small: Crs;
      try {
        small = crsFromEpsg(code);
      } catch {
        continue; // one that only Node has
      }
      const facts = fixture.exact[code];
      if (facts === undefined) throw new Error(`no facts of ${code}`);
      expect(metresApart(small.toLonLat(facts.x, facts.y), facts)).toBeLessThan(2e-3);
      expect(small.name).toBe(facts.name);
    }
    expect(() => crsFromEpsg(2263)).toThrow(/built-in table.*EPSG:2263/);
  });

  test("a code that no table has is refused by name", () => {
    expect(() => crsFromAnyEpsg(1)).toThrow(SceneError);
    expect(() => crsFromAnyEpsg(1)).toThrow(/received EPSG:1$/);
    expect(() => crsFromAnyEpsg(4816)).toThrow(/EPSG:4816/); // in grads, which proj4 does not know
  });

  test("axes that point west and south are kept", () => {
    const crs = crsFromAnyEpsg(2048); // Hartebeesthoek94 / Lo19
    const [x, y] = crs.fromLonLat(18.5, -34);
    expect(x).toBeGreaterThan(0);
    expect(y).toBeGreaterThan(3_000_000);
    expect(crs.toLonLat(x, y)).toEqual([expect.closeTo(18.5, 9), expect.closeTo(-34, 9)]);
  });

  test("a datum without its grid says how well it is known", () => {
    expect(datumWarning(crsFromAnyEpsg(26715))).toMatch(/without its grid/);
    expect(datumWarning(crsFromAnyEpsg(3561))).toMatch(/unknown.*hundreds of metres/);
  });
});

describe("crsFromText", () => {
  test("takes a code, a proj4 string and WKT", () => {
    expect(crsFromText("epsg:32633").name).toBe("WGS 84 / UTM zone 33N");
    expect(crsFromText("+proj=utm +zone=33 +datum=WGS84").toLonLat(500_000, 0)[0]).toBeCloseTo(
      15,
      9,
    );
    const wkt =
      'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]';
    expect(crsFromText(wkt).kind).toBe("geographic");
    expect(() => crsFromText("the moon")).toThrow(/received "the moon"/);
  });
});

describe("a CRS that the file defines", () => {
  test.each(Object.entries(fixture.defined))("%s is where PROJ has it", async (_, facts) => {
    const file = new Blob([Buffer.from(facts.tiff ?? "", "base64")]);
    await using scene = await openSceneFromBlob(file, "defined.tif");
    const { crs } = scene;
    if (crs === undefined) throw new Error("the scene has no CRS");
    expect(metresApart(crs.toLonLat(facts.x, facts.y), facts)).toBeLessThan(2e-3);
    expectUnit(crs, facts);
  });

  test.each([
    [
      [
        [3072, 32767],
        [3075, 999],
      ],
      /ProjMethodGeoKey 999/,
    ],
    [
      [
        [3072, 32767],
        [3074, 12345],
      ],
      /ProjectionGeoKey 12345/,
    ],
    [
      [
        [3072, 32767],
        [3075, 1],
        [3076, 9999],
      ],
      /ProjLinearUnitsGeoKey 9999/,
    ],
    [[[3072, 65000]], /ProjectedCRSGeoKey .*65000/],
    [[[2048, 65000]], /GeodeticCRSGeoKey .*65000/],
    [
      [
        [2048, 32767],
        [2056, 7999],
      ],
      /EllipsoidGeoKey 7999/,
    ],
  ] as const)("keys %j are refused by name", (keys, message) => {
    expect(() => crsFromGeoKeys(new Map(keys))).toThrow(SceneError);
    expect(() => crsFromGeoKeys(new Map(keys))).toThrow(message);
  });

  test("no keys are no CRS", () => {
    expect(crsFromGeoKeys(new Map())).toBeUndefined();
    expect(crsFromGeoKeys(new Map([[1024, 32767]]))).toBeUndefined();
  });
});
