/// <reference types="vite/client" />

/** Vite gives the address at which it serves the file. */
declare module "maplibre-gl/dist/maplibre-gl-worker.mjs?url" {
  const address: string;
  export default address;
}
