/** A step of the page's build: files as they go over the wire. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

/** Smaller files are not worth others beside them. */
const WORTH_BYTES = 2048;

/** Larger ones, which few visitors fetch, must not hold up the build. */
const QUICK_BYTES = 8e6;

/** By the end of the name that servers know them by. */
const FORMATS: Readonly<Record<string, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  br: (bytes) => {
    // As small as the best, in half of its time.
    const quality = bytes.length > QUICK_BYTES ? 9 : 10;
    return promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: quality },
    });
  },
  gz: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

/** Puts `NAME.br` and `NAME.gz` beside every file that they make smaller: `nadir serve` and other servers send those. */
export function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async writeBundle({ dir = "" }) {
      const entries = await readdir(dir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      await Promise.all(files.map(({ parentPath, name }) => compress(join(parentPath, name))));
    },
  };
}

async function compress(path: string): Promise<void> {
  if (Object.keys(FORMATS).some((ending) => path.endsWith(`.${ending}`))) return;
  const bytes = await readFile(path);
  if (bytes.length < WORTH_BYTES) return;
  for (const [ending, shorten] of Object.entries(FORMATS)) {
    const short = await shorten(bytes);
    if (short.length < 0.9 * bytes.length) await writeFile(`${path}.${ending}`, short);
  }
}
