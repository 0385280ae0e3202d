import { expect, test } from "vitest";
import { EXIT, VERSION } from "../../pipeline/index.ts";
import { run } from "./surroundings.ts";

test("doctor finds this machine fit, in words and as JSON", async () => {
  const words = await run(["doctor"]);
  expect(words.status).toBe(EXIT.done);
  expect(words.out).toMatch(/✓ +onnxruntime-node +cpu/);
  const { out } = await run(["doctor", "--json"]);
  const findings = JSON.parse(out) as { about: string; state: string; detail: string }[];
  expect(findings).toContainEqual({ about: "nadir", state: "fine", detail: VERSION });
  expect(findings.filter(({ state }) => state === "broken")).toEqual([]);
});

test("doctor says where results cannot be written", async () => {
  const { out } = await run(["doctor"], { cwd: "/no/such/folder" });
  expect(out).toMatch(/! +folder +\/no\/such\/folder: there is no such file/);
});
