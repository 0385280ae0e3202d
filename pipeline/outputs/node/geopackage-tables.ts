/** The tables that the GeoPackage standard asks for, and the triggers that keep its spatial index true. */
import { COLUMNS } from "../feature.ts";

/** Name of the one feature table; its layer name in a GIS. */
export const LAYER = "objects";

const SQL_TYPES = { string: "TEXT", integer: "MEDIUMINT", real: "DOUBLE" } as const;

/** Times are fixed: two runs give the same bytes. */
export const LAST_CHANGE = "1970-01-01T00:00:00.000Z";

/** §1.1.2 reference systems, §1.1.3 contents, §2.1.5 geometry columns, §2.3 extensions, and the layer. */
export const TABLES: string = `
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL,
  definition TEXT NOT NULL,
  description TEXT
);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY,
  data_type TEXT NOT NULL,
  identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE,
  min_y DOUBLE,
  max_x DOUBLE,
  max_y DOUBLE,
  srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL,
  column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL,
  m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)
);
CREATE TABLE gpkg_extensions (
  table_name TEXT,
  column_name TEXT,
  extension_name TEXT NOT NULL,
  definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
CREATE TABLE "${LAYER}" (
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  geom POLYGON,
  ${Object.entries(COLUMNS)
    .map(([name, type]) => `"${name}" ${SQL_TYPES[type]}`)
    .join(",\n  ")}
);`;

const INDEX = `rtree_${LAYER}_geom`;

/** The index's three tables, and its entry in the schema, which the WebAssembly build could not make by itself. */
export const SPATIAL_INDEX_TABLES: string = `
CREATE TABLE "${INDEX}_rowid"(rowid INTEGER PRIMARY KEY,nodeno);
CREATE TABLE "${INDEX}_node"(nodeno INTEGER PRIMARY KEY,data);
CREATE TABLE "${INDEX}_parent"(nodeno INTEGER PRIMARY KEY,parentnode);
PRAGMA writable_schema=ON;
INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (
  'table', '${INDEX}', '${INDEX}', 0,
  'CREATE VIRTUAL TABLE "${INDEX}" USING rtree(id, minx, maxx, miny, maxy)'
);
PRAGMA writable_schema=OFF;
INSERT INTO gpkg_extensions VALUES (
  '${LAYER}', 'geom', 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only'
);`;

const IS_NOT_EMPTY = "(NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))";
const IS_EMPTY = "(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))";
const SAME_ROW = "OLD.fid = NEW.fid";
const OTHER_ROW = "OLD.fid != NEW.fid";
const PUT = `INSERT OR REPLACE INTO "${INDEX}" VALUES (
    NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)
  );`;
const REMOVE_OLD = `DELETE FROM "${INDEX}" WHERE id = OLD.fid;`;

/** Annex F.3: a program that edits the layer (and knows the `ST_` functions) keeps the index true. */
export const SPATIAL_INDEX_TRIGGERS: string = [
  trigger("insert", "INSERT", IS_NOT_EMPTY, PUT),
  trigger("update1", "UPDATE OF geom", `${SAME_ROW} AND ${IS_NOT_EMPTY}`, PUT),
  trigger("update2", "UPDATE OF geom", `${SAME_ROW} AND ${IS_EMPTY}`, REMOVE_OLD),
  trigger("update3", "UPDATE", `${OTHER_ROW} AND ${IS_NOT_EMPTY}`, `${REMOVE_OLD} ${PUT}`),
  trigger(
    "update4",
    "UPDATE",
    `${OTHER_ROW} AND ${IS_EMPTY}`,
    `DELETE FROM "${INDEX}" WHERE id IN (OLD.fid, NEW.fid);`,
  ),
  trigger("delete", "DELETE", "OLD.geom NOT NULL", REMOVE_OLD),
].join("\n");

function trigger(name: string, event: string, condition: string, action: string): string {
  return `CREATE TRIGGER "${INDEX}_${name}" AFTER ${event} ON "${LAYER}"
  WHEN ${condition}
BEGIN
  ${action}
END;`;
}
