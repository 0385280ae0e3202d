/** The models that come with the package, on every engine. */
import { describe, expect, test } from "vitest";
import { memoryScene, synthesiseTile } from "../../datasets/index.ts";
import { buildShipped, detector, inferenceGraph, checkWeights } from "../../models/index.ts";
import {
  createEngine,
  detect,
  type FoundObject,
  loadDetector,
  resolveSettings,
  settingsOfModel,
} from "../../pipeline/index.ts";
import { listShipped, NODE_ENGINES, openShipped } from "../../pipeline/node.ts";

const SIDE_PX = 320;
const cards = await listShipped();

async function find(bytes: Uint8Array, engineName: string): Promise<FoundObject[]> {
  const { pixels } = synthesiseTile({ seed: 77, sizePx: SIDE_PX, gsdM: 0.3, place: "airport" });
  await using model = await loadDetector(bytes, await createEngine(engineName, NODE_ENGINES));
  const option = { scoreAtLeast: 0.05, scales: [] };
  const { settings } = resolveSettings({ option, model: settingsOfModel(model.card) });
  const found: FoundObject[] = [];
  for await (const object of detect(memoryScene(pixels), model, settings)) found.push(object);
  return found;
}

test("there is one of each family, and one is used where none is named", () => {
  expect(new Set(cards.map(({ network }) => network.family))).toEqual(
    new Set(["yolo-caa", "vit", "swin"]),
  );
  expect(cards.filter(({ isDefault }) => isDefault)).toHaveLength(1);
});

describe.each(cards.map((card) => [card.name, card] as const))("%s", (name, card) => {
  test("its card says what it is, and its weights are those of its network", async () => {
    const { weights } = await openShipped(name);
    const graph = inferenceGraph(detector(card.network), { batch: 1, widthPx: 64, heightPx: 64 });
    expect(() => checkWeights(graph, weights)).not.toThrow();
    expect(card.classes).toHaveLength(card.network.classes);
    expect(card.data.length).toBeGreaterThan(0);
    expect(Object.keys(card.recipe)).toContain("seed");
    expect(card.metrics["AP50"]).toBeGreaterThan(0);
  });

  test("finds the same on every engine", { timeout: 240_000 }, async () => {
    const { weights } = await openShipped(name);
    const bytes = buildShipped(card, weights, { batch: 1, widthPx: SIDE_PX, heightPx: SIDE_PX });
    const native = await find(bytes, "onnxruntime-node");
    expect(native.length).toBeGreaterThan(0);
    const webgpu = await createEngine("webgpu", NODE_ENGINES);
    const hasGpu = (await webgpu.devices()).length > 0;
    if (!hasGpu) console.warn("skipped: no WebGPU adapter here");
    for (const engine of ["onnxruntime-web", ...(hasGpu ? ["webgpu"] : [])]) {
      expectSame(await find(bytes, engine), native);
    }
  });
});

function expectSame(found: readonly FoundObject[], native: readonly FoundObject[]): void {
  expect(found.map((object) => object.class)).toEqual(native.map((object) => object.class));
  for (const [i, object] of native.entries()) {
    const other = found[i]!;
    expect(Math.abs(object.score - other.score)).toBeLessThan(1e-3);
    object.corners.forEach((v, k) => expect(Math.abs(v - other.corners[k]!)).toBeLessThan(0.1));
  }
}
