import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Tests of shaders run on SwiftShader, a GPU in software that Chromium brings along, where there is nothing better.
// The loader of a process reads these when it starts, so they are set before vitest forks.
const CHROMIUM = "/usr/lib/chromium";
if (process.platform === "linux" && existsSync(`${CHROMIUM}/libvulkan.so.1`)) {
  process.env["VK_ICD_FILENAMES"] ??= `${CHROMIUM}/vk_swiftshader_icd.json`;
  process.env["LD_LIBRARY_PATH"] ??= CHROMIUM;
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    // Two cores: more forks than that only make the slow tests slower.
    maxWorkers: 2,
  },
});
