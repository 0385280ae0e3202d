import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../pipeline/index.ts";
import { run, scratch } from "./surroundings.ts";
import { writeScene } from "./scenes.ts";

const folder = scratch();
const cwd = folder.path;
beforeAll(async () => {
  await writeScene(join(cwd, "good.tif"));
  writeFileSync(join(cwd, "text.tif"), "this is no picture");
  const whole = readFileSync(join(cwd, "good.tif"));
  writeFileSync(join(cwd, "cut.tif"), whole.subarray(0, whole.length / 3));
  mkdirSync(join(cwd, "empty"));
});
afterAll(() => folder[Symbol.dispose]());

describe("nadir info", () => {
  test("says size, samples, CRS, resolution and corners", async () => {
    const { status, out, err } = await run(["info", "good.tif"], { cwd });
    expect({ status, err }).toEqual({ status: EXIT.done, err: "" });
    expect(out).toMatch(/size +96×64 px/);
    expect(out).toMatch(/samples +uint8 × 3/);
    expect(out).toMatch(/CRS +EPSG:32633 WGS 84 \/ UTM zone 33N/);
    expect(out).toMatch(/resolution +0\.50 m\/px/);
  });

  test("--json gives the same facts to programs", async () => {
    const { out } = await run(["info", "good.tif", "--json"], { cwd });
    const facts = JSON.parse(out) as Record<string, unknown>;
    expect(facts).toMatchObject({
      format: "GeoTIFF",
      width: 96,
      height: 64,
      crs: "EPSG:32633",
      transform: [0.5, 0, 500_000, 0, -0.5, 5_000_000],
    });
    // gdaltransform -s_srs EPSG:32633 -t_srs EPSG:4326, for 500000 5000000: on the central meridian.
    const [first] = facts["corners"] as [[number, number]];
    expect(first[0]).toBeCloseTo(15, 9);
    expect(first[1]).toBeCloseTo(45.153475, 5);
  });

  test("bad files get a sentence each, the others are described, and the status says so", async () => {
    const argv = ["info", "text.tif", "cut.tif", "none.tif", "good.tif"];
    const { status, out, err } = await run(argv, { cwd });
    expect(status).toBe(EXIT.someFailed);
    expect(out).toContain("good.tif");
    const lines = err.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/text\.tif: a scene must be a TIFF.*holds text/);
    expect(lines[1]).toMatch(/cut\.tif: /);
    expect(lines[2]).toMatch(/none\.tif: there is no such file/);
  });

  test("nothing readable at all has a status of its own", async () => {
    expect((await run(["info", "text.tif"], { cwd })).status).toBe(EXIT.nothingReadable);
    const { status, err } = await run(["info", "empty"], { cwd });
    expect(status).toBe(EXIT.nothingReadable);
    expect(err).toMatch(/empty: no scene there/);
  });

  test("without a scene it is an error of usage", async () => {
    expect((await run(["info"], { cwd })).status).toBe(EXIT.usage);
  });
});
