/** `npm run demo` serves the page while it is worked on; `npm run build:demo` writes it to `dist/demo`. */
import { defineConfig, type UserConfig } from "vite";
import { compressed } from "./compressed-node.ts";

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
