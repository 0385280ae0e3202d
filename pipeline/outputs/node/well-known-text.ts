/** Well-known text 1 of an EPSG code, from the offline table. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Undefined for a code that the table does not know. */
export function wellKnownText(epsg: number): string | undefined {
  try {
    const entry: unknown = require(`epsg-index/s/${epsg}.json`);
    const { wkt } = entry as { readonly wkt?: string | null }; // the table's one form
    return wkt ?? undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
