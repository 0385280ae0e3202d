import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fc, test as property } from "@fast-check/vitest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TileOutcome } from "../../../pipeline/infer.ts";
import {
  crc32,
  decodeOutcome,
  encodeOutcome,
  HEADER_BYTES,
  journalKey,
} from "../../../pipeline/jobs/journal.ts";
import { openJournal } from "../../../pipeline/jobs/journal-node.ts";
import { resolveSettings } from "../../../pipeline/settings/resolve.ts";
import type { Tile } from "../../../pipeline/tiles.ts";

const tiles = Array.from({ length: 20 }, (_, index): Tile => ({
  index,
  window: { x: index * 10, y: 0, width: 64, height: 64 },
}));

function outcomeOf(tile: Tile, count = tile.index % 4): TileOutcome {
  const numbers = Float64Array.from({ length: count * 8 }, (_, i) => Math.sin(tile.index + i) * 50);
  return {
    tile,
    detections: {
      count,
      boxes: { kind: "oriented", frame: "tile", corners: numbers },
      scores: Float32Array.from({ length: count }, (_, i) => 1 / (i + 2)),
      classes: Uint16Array.from({ length: count }, (_, i) => i * 300),
    },
    skipped: undefined,
    dropped: tile.index,
    bestScore: 0.1 * tile.index,
  };
}

const outcomes = tiles.map((tile) => outcomeOf(tile));
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-journal-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a record", () => {
  property.prop([
    fc.array(
      fc.record({
        box: fc.array(fc.double(), { minLength: 4, maxLength: 4 }),
        score: fc.float({ noNaN: true }),
        klass: fc.integer({ min: 0, max: 65535 }),
      }),
      { maxLength: 20 },
    ),
    fc.constantFrom("nodata" as const, "blank" as const, undefined),
  ])("comes back bit by bit", (rows, skipped) => {
    const outcome: TileOutcome = {
      tile: tiles[3]!,
      detections: {
        count: rows.length,
        boxes: {
          kind: "axis-aligned",
          frame: "tile",
          xyxy: Float64Array.from(rows.flatMap(({ box }) => box)),
        },
        scores: Float32Array.from(rows, ({ score }) => score),
        classes: Uint16Array.from(rows, ({ klass }) => klass),
      },
      skipped,
      dropped: 7,
      bestScore: 0.25,
    };
    expect(decodeOutcome(encodeOutcome(outcome).subarray(HEADER_BYTES), tiles[3]!)).toEqual(
      outcome,
    );
  });

  test("of another tile is refused", () => {
    const payload = encodeOutcome(outcomes[3]!).subarray(HEADER_BYTES);
    expect(() => decodeOutcome(payload, tiles[4]!)).toThrow("must be of tile 4, received 3");
  });

  test("has the checksum of zip and PNG", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
});

describe("openJournal", () => {
  const options = { key: "a".repeat(64), batch: 1 };

  test("gives back what was appended, across openings", async () => {
    const path = join(folder, "again");
    {
      await using journal = await openJournal(path, options);
      expect(journal.isEmpty()).toBe(true);
      await journal.append(outcomes.slice(0, 3));
    }
    {
      await using journal = await openJournal(path, options);
      expect(journal.count).toBe(3);
      await journal.append(outcomes.slice(3, 5));
    }
    await using journal = await openJournal(path, options);
    expect(await collect(journal.outcomes(tiles))).toEqual(outcomes.slice(0, 5));
  });

  property.prop([fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 4 })], {
    numRuns: 40,
  })("torn anywhere, it keeps the whole batches before the tear", async (share, batch) => {
    const path = join(folder, `torn-${batch}`);
    {
      await using journal = await openJournal(path, { ...options, batch, fresh: true });
      await journal.append(outcomes);
    }
    const whole = await readFile(path);
    await truncate(path, Math.floor(share * whole.length));
    {
      await using journal = await openJournal(path, { ...options, batch });
      expect(journal.count % batch).toBe(0);
      expect(await collect(journal.outcomes(tiles))).toEqual(outcomes.slice(0, journal.count));
      await journal.append(outcomes.slice(journal.count));
    }
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  test("a flipped bit ends it there", async () => {
    const path = join(folder, "flipped");
    {
      await using journal = await openJournal(path, options);
      await journal.append(outcomes);
    }
    const bytes = await readFile(path);
    const at = bytes.length - 40;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(path, bytes);
    await using journal = await openJournal(path, options);
    expect(journal.count).toBeLessThan(20);
    expect(journal.count).toBeGreaterThan(15);
  });

  test("of another key, or asked to forget, it begins anew", async () => {
    const path = join(folder, "other");
    for (const change of [{ key: "b".repeat(64) }, { fresh: true }]) {
      {
        await using journal = await openJournal(path, { ...options, fresh: true });
        await journal.append(outcomes);
      }
      await using journal = await openJournal(path, { ...options, ...change });
      expect(journal.count).toBe(0);
    }
  });

  test("a file that is no journal is overwritten", async () => {
    const path = join(folder, "text");
    await writeFile(path, "hello");
    await using journal = await openJournal(path, options);
    expect(journal.count).toBe(0);
  });
});

describe("journalKey", () => {
  const settings = resolveSettings({}).settings;
  const parts = { modelSha256: "m", settings, batch: 1, engine: "e", identity: "i" };

  test("changes with whatever moves a raw detection, and with nothing else", async () => {
    const key = await journalKey(parts);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const same = await journalKey({
      ...parts,
      settings: { ...settings, merge: "wbf", formats: ["csv"], workers: 3 },
    });
    expect(same).toBe(key);
    const others = await Promise.all(
      [
        { modelSha256: "n" },
        { batch: 2 },
        { engine: "f" },
        { identity: "j" },
        { settings: { ...settings, tilePx: 512 } },
        { settings: { ...settings, stretch: "none" } },
      ].map((change) => journalKey({ ...parts, ...change })),
    );
    expect(new Set([key, ...others]).size).toBe(7);
  });
});
