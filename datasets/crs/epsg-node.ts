/** All EPSG codes, from the files of `epsg-index`: one is read when it is asked for. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { commonEpsg, type EpsgEntry, type EpsgLookup } from "./epsg.ts";

const require = createRequire(import.meta.url);

interface IndexFile {
  readonly name: string;
  readonly proj4: string | null;
  /** `degree`, `metre`, … */
  readonly unit: string | null;
}

/** @throws where the installed table is damaged. */
export const allEpsg: EpsgLookup = (code) => commonEpsg(code) ?? fromIndex(code);

function fromIndex(code: number): EpsgEntry | undefined {
  let path: string;
  try {
    path = require.resolve(`epsg-index/s/${code}.json`);
  } catch {
    return undefined; // no such code
  }
  const { name, proj4, unit } = JSON.parse(readFileSync(path, "utf8")) as IndexFile; // its documented form
  const isUsable = proj4?.includes("+proj=") === true && unit !== "grad"; // proj4 knows degrees only
  return isUsable ? { name, proj4 } : undefined;
}
