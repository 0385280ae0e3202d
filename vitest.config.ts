import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    // Two cores: more forks than that only make the slow tests slower.
    maxWorkers: 2,
  },
});
