/**
 * GeoPackage 1.3 (OGC 12-128r17): one layer of polygons with a spatial index.
 *
 * Node only: SQLite writes it, straight into the partial file, without a journal: what does not get finished is
 * thrown away whole.
 */
import { rename, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Database as SqliteDatabase, Statement } from "node-sqlite3-wasm";
import sqlite from "node-sqlite3-wasm"; // CommonJS: its names come with the default
import type { FoundObject } from "../../objects.ts";
import type { Extents } from "../extents.ts";
import { createExtents } from "../extents.ts";
import { COLUMNS, attributesOf, closedRing, cornersIn, crsName, extent } from "../feature.ts";
import type { Output, OutputContext } from "../output.ts";
import { OutputError, fileName } from "../output.ts";
import { packRtree } from "../sqlite-rtree.ts";
import { polygonWkb } from "../wkb.ts";
import {
  LAST_CHANGE,
  LAYER,
  SPATIAL_INDEX_TABLES,
  SPATIAL_INDEX_TRIGGERS,
  TABLES,
} from "./geopackage-tables.ts";
import { openTemporary, outputError, partialPath, release, removeAtExit } from "./partial-file.ts";
import { wellKnownText } from "./well-known-text.ts";

/** Rows of one transaction. */
const ROWS_IN_BATCH = 10_000;

/** `GPKG` as the standard's application id, and version 1.3. */
const PRAGMAS = `
PRAGMA page_size=4096;
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA application_id=1196444487;
PRAGMA user_version=10300;`;

export async function openGeopackage(path: string, context: OutputContext): Promise<Output> {
  const partial = partialPath(path);
  const lock = `${partial}.lock`;
  await (await openTemporary(path, partial)).close();
  await rm(lock, { recursive: true, force: true }); // left by a killed process
  removeAtExit(lock);
  const extents = createExtents();
  const srsId = srsOf(context);
  let layer: Layer | undefined;

  const remove = async (): Promise<void> => {
    try {
      layer?.close();
    } catch {
      // After a failed write closing fails for the same reason; the file goes in any case.
    }
    layer = undefined;
    await rm(partial, { force: true });
    await rm(lock, { recursive: true, force: true });
    release(partial);
    release(lock);
  };
  const orAbort = async (work: () => void | Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const failure = await sqliteError(path, error); // before the space is free again
      await remove();
      throw failure;
    }
  };
  const opened = (): Layer => {
    if (layer !== undefined) return layer;
    throw new OutputError(`${path}: must be open to be written, received a closed file`);
  };
  await orAbort(() => {
    layer = openLayer(partial, context, srsId);
  });
  return {
    path,
    write: (object) =>
      orAbort(() => {
        const ring = closedRing(cornersIn(object, context.crs));
        extents.add(extent(ring));
        opened().insert(object, geometryBlob(ring, srsId));
      }),
    finish: () =>
      orAbort(async () => {
        opened().finish(extents);
        layer = undefined;
        await rename(partial, path);
        release(partial);
        release(lock);
      }),
    abort: remove,
    [Symbol.asyncDispose]: remove,
  };
}

interface Layer {
  readonly insert: (object: FoundObject, geometry: Uint8Array) => void;
  readonly finish: (extents: Extents) => void;
  readonly close: () => void;
}

function openLayer(file: string, context: OutputContext, srsId: number): Layer {
  const database = new sqlite.Database(file);
  database.exec(PRAGMAS);
  database.exec(TABLES);
  describeLayer(database, context, srsId);
  const marks = ["?", ...Object.keys(COLUMNS).map(() => "?")].join(", ");
  const statement = database.prepare(
    `INSERT INTO "${LAYER}" (geom, ${Object.keys(COLUMNS).join(", ")}) VALUES (${marks})`,
  );
  let rows = 0;
  return {
    insert: (object, geometry) => {
      if (rows++ % ROWS_IN_BATCH === 0) database.exec(rows === 1 ? "BEGIN" : "COMMIT; BEGIN");
      const values = Object.values(attributesOf(object)) as (string | number | undefined)[];
      statement.run([geometry, ...values.map((value) => value ?? null)]);
    },
    finish: (extents) => {
      if (rows > 0) database.exec("COMMIT");
      writeIndex(database, extents);
      const total = extents.total();
      if (total !== undefined) {
        database.run("UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?", [
          ...total,
        ]);
      }
      close(database, statement);
    },
    close: () => close(database, statement),
  };
}

function close(database: SqliteDatabase, statement: Statement): void {
  try {
    if (!statement.isFinalized) statement.finalize();
  } finally {
    if (database.isOpen) database.close();
  }
}

/** §1.1.2.1.2: 4326, -1 and 0 are always there. */
function describeLayer(database: SqliteDatabase, context: OutputContext, srsId: number): void {
  const { scene, crs } = context;
  const systems: [string, number, string, number, string, string | null][] = [
    ["Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinates"],
    ["Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinates"],
    ["WGS 84 geodetic", 4326, "EPSG", 4326, wellKnownText(4326) ?? "undefined", null],
  ];
  if (!systems.some(([, id]) => id === srsId)) {
    const epsg = scene.crs?.epsg;
    systems.push([
      scene.crs?.name ?? crsName(crs, scene),
      srsId,
      epsg === undefined ? "NONE" : "EPSG",
      srsId,
      context.wkt ?? "undefined",
      scene.crs?.definition ?? null,
    ]);
  }
  for (const system of systems) {
    database.run("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", system);
  }
  const description = [
    `Objects found in ${fileName(scene.source)}`,
    ...(context.model ? [`by ${context.model.name} (sha256 ${context.model.sha256})`] : []),
    ...(crs === "pixel" ? ["; coordinates are pixels, y down"] : []),
  ].join(" ");
  database.run(
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) VALUES (?, 'features', ?, ?, ?, ?)",
    [LAYER, LAYER, description, LAST_CHANGE, srsId],
  );
  database.run("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POLYGON', ?, 0, 0)", [
    LAYER,
    srsId,
  ]);
}

/** A CRS without a code gets the first number that the standard leaves to users. */
function srsOf({ crs, scene }: OutputContext): number {
  if (crs === "wgs84") return 4326;
  return crs === "pixel" ? -1 : (scene.crs?.epsg ?? 100_000);
}

function writeIndex(database: SqliteDatabase, extents: Extents): void {
  const index = `rtree_${LAYER}_geom`;
  database.exec(SPATIAL_INDEX_TABLES);
  const [node, parent, row] = ["node", "parent", "rowid"].map((table) =>
    database.prepare(`INSERT INTO "${index}_${table}" VALUES (?, ?)`),
  );
  database.exec("BEGIN");
  for (const { number, parent: above, rows, data } of packRtree(extents)) {
    node?.run([number, data]);
    if (above !== undefined) parent?.run([number, above]);
    for (const id of rows) row?.run([id, number]);
  }
  database.exec("COMMIT");
  for (const statement of [node, parent, row]) statement?.finalize();
  database.exec(SPATIAL_INDEX_TRIGGERS);
}

/** §2.1.3: `GP`, version 0, flags (little-endian, envelope of x and y), reference system, envelope, WKB. */
function geometryBlob(ring: Float64Array, srsId: number): Uint8Array {
  const wkb = polygonWkb(ring);
  const bytes = new Uint8Array(40 + wkb.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x47, 0x50, 0, 0b0000_0011]);
  view.setInt32(4, srsId, true);
  const [west, south, east, north] = extent(ring);
  [west, east, south, north].forEach((value, i) => view.setFloat64(8 + 8 * i, value, true));
  bytes.set(wkb, 40);
  return bytes;
}

/** Less than this free, and SQLite's "disk I/O error" means a full disk. */
const FULL_BYTES = 1 << 20;

/** SQLite says only "disk I/O error"; whether the disk is full is asked of the system. */
async function sqliteError(path: string, cause: unknown): Promise<OutputError> {
  if (cause instanceof Error && /disk I\/O error|disk is full/.test(cause.message)) {
    const { bavail, bsize } = await statfs(dirname(path));
    if (bavail * bsize < FULL_BYTES) {
      return outputError(path, Object.assign(new Error(cause.message), { code: "ENOSPC" }));
    }
  }
  return outputError(path, cause);
}
