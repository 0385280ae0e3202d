import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { planTiles, type WorkingGrid } from "../../pipeline/tiles.ts";

const gridOf = (width: number, height: number): WorkingGrid => ({
  width,
  height,
  scaleX: 1,
  scaleY: 1,
});

const cases = fc
  .record({
    width: fc.integer({ min: 1, max: 400 }),
    height: fc.integer({ min: 1, max: 400 }),
    tileWidth: fc.integer({ min: 8, max: 128 }),
    tileHeight: fc.integer({ min: 8, max: 128 }),
    share: fc.double({ min: 0, max: 0.9, noNaN: true }),
  })
  .map(({ width, height, tileWidth, tileHeight, share }) => {
    const overlapPx = Math.floor(share * Math.min(tileWidth, tileHeight));
    const plan = planTiles(gridOf(width, height), {
      sizePx: { width: tileWidth, height: tileHeight },
      overlapPx,
    });
    return { width, height, tileWidth, tileHeight, overlapPx, plan };
  });

describe("planTiles", () => {
  test.prop([cases], { numRuns: 60 })("every pixel is in at least one tile", (c) => {
    const seen = new Uint8Array(c.width * c.height);
    for (const { window: w } of c.plan.tiles) {
      for (let y = w.y; y < w.y + w.height; y++) {
        seen.fill(1, y * c.width + w.x, y * c.width + w.x + w.width);
      }
    }
    expect(seen.every((v) => v === 1)).toBe(true);
  });

  test.prop([cases])("tiles lie inside the grid and have one size", (c) => {
    for (const { window: w } of c.plan.tiles) {
      expect(w.x >= 0 && w.y >= 0).toBe(true);
      expect(w.x + w.width <= c.width && w.y + w.height <= c.height).toBe(true);
      expect(w.width).toBe(Math.min(c.tileWidth, c.width));
      expect(w.height).toBe(Math.min(c.tileHeight, c.height));
    }
  });

  test.prop([cases])("no tile comes twice, and neighbours overlap by at least overlapPx", (c) => {
    for (const [axis, size] of [
      ["x", "width"],
      ["y", "height"],
    ] as const) {
      const places = [...new Set(c.plan.tiles.map((t) => t.window[axis]))];
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      for (const [i, at] of places.slice(1).entries()) {
        const before = places[i] ?? 0;
        expect(before + (c.plan.tiles[0]?.window[size] ?? 0) - at).toBeGreaterThanOrEqual(
          c.overlapPx,
        );
      }
    }
    expect(new Set(c.plan.tiles.map((t) => `${t.window.x},${t.window.y}`)).size).toBe(
      c.plan.tiles.length,
    );
  });

  test.prop([
    cases,
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ])("any object no longer than the overlap lies whole in some tile", (c, u, v) => {
    const size = Math.min(c.overlapPx, c.width, c.height);
    const [x, y] = [u * (c.width - size), v * (c.height - size)];
    const whole = c.plan.tiles.some(
      ({ window: w }) =>
        w.x <= x && w.y <= y && x + size <= w.x + w.width && y + size <= w.y + w.height,
    );
    expect(whole).toBe(true);
  });

  test.prop([cases])("tiles come row by row with rising index", (c) => {
    expect(c.plan.tiles.map((t) => t.index)).toEqual(c.plan.tiles.map((_, i) => i));
    for (const [i, tile] of c.plan.tiles.slice(1).entries()) {
      expect(tile.window.y).toBeGreaterThanOrEqual(c.plan.tiles[i]?.window.y ?? 0);
    }
  });

  test("a grid smaller than a tile gives one tile of the grid's size", () => {
    const { tiles } = planTiles(gridOf(30, 20), { sizePx: 64, overlapPx: 16 });
    expect(tiles).toEqual([{ index: 0, window: { x: 0, y: 0, width: 30, height: 20 } }]);
  });

  test("four tiles are four tiles: 1000 px in tiles of 550 with 100 px of overlap", () => {
    expect(planTiles(gridOf(1000, 1000), { sizePx: 550, overlapPx: 100 }).tiles).toHaveLength(4);
  });

  test("windows outside the area of interest are left out and the rest counted anew", () => {
    const { tiles } = planTiles(gridOf(100, 100), { sizePx: 50, keeps: (w) => w.x > 0 });
    expect(tiles).toEqual([
      { index: 0, window: { x: 50, y: 0, width: 50, height: 50 } },
      { index: 1, window: { x: 50, y: 50, width: 50, height: 50 } },
    ]);
  });

  test("an overlap as large as the tile is refused", () => {
    expect(() => planTiles(gridOf(9, 9), { sizePx: 512, overlapPx: 640 })).toThrow(
      "planTiles: overlapPx must be less than sizePx, received overlapPx 640, width 512",
    );
  });
});
