/** A page with our rooms in it, in a Chromium that has WebGPU in software where there is no GPU. */

export const CHROMIUM_WEBGPU = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--ignore-gpu-blocklist",
] as const;

export const MODULES = `<!doctype html><script type="module">
  const [datasets, models, pipeline] = await Promise.all([
    import("/datasets/index.ts"),
    import("/models/index.ts"),
    import("/pipeline/index.ts"),
  ]);
  globalThis.nadir = { datasets, models, pipeline };
</script>`;

export interface Page {
  readonly nadir: {
    readonly datasets: typeof import("../../datasets/index.ts");
    readonly models: typeof import("../../models/index.ts");
    readonly pipeline: typeof import("../../pipeline/index.ts");
  };
}
