/** A step of the page's build: files as they go over the wire. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Smaller files are not worth a second one. */
const WORTH_BYTES = 2048;

/** Puts `NAME.gz` beside every file that it makes smaller: `nadir serve` and other servers send that one. */
export function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir = "" }) {
      for (const file of readdirSync(dir, { recursive: true, withFileTypes: true })) {
        const path = join(file.parentPath, file.name);
        if (!file.isFile() || file.name.endsWith(".gz")) continue;
        const bytes = readFileSync(path);
        if (bytes.length < WORTH_BYTES) continue;
        const zipped = gzipSync(bytes, { level: 9 });
        if (zipped.length < 0.9 * bytes.length) writeFileSync(`${path}.gz`, zipped);
      }
    },
  };
}
