/** `npm run demo` serves the page while it is worked on; `npm run build:demo` writes it to `dist/demo`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin, type UserConfig } from "vite";

/** Smaller files are not worth a second one. */
const WORTH_BYTES = 2048;

/** Puts `NAME.gz` beside every file that it makes smaller: `nadir serve` and other servers send that one. */
function compressed(): Plugin {
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

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: "./", // any folder of any host
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [compressed()],
  build: {
    outDir: `${import.meta.dirname}/../../dist/demo`,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    // MapLibre is one module of a megabyte, fetched with the first map.
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: "es" },
  // Their WebAssembly lies beside them, and is found only there.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
});

export default config;
