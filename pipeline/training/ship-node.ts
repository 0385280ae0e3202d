/** Turns a trained state into a shipped model: averaged weights in half precision, and a card. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DetectorNetwork, ShippedCard } from "../../models/index.ts";
import { fromFloat32, inferenceGraph, STEP, writeSafetensors } from "../../models/index.ts";
import { sha256 } from "../sha256.ts";

/** Weights for inference out of a training state: averages where there are any. */
export function trainedWeights(
  network: DetectorNetwork,
  state: ReadonlyMap<string, Float32Array>,
): ReadonlyMap<string, Float32Array> {
  const { weights } = inferenceGraph(network, { batch: 1, widthPx: 64, heightPx: 64 });
  return new Map(
    [...weights.keys()].map((name) => [
      name,
      state.get(STEP.average(name)) ?? state.get(name) ?? new Float32Array(),
    ]),
  );
}

/** Writes `NAME.safetensors` and `NAME.json` into `folder`. */
export async function writeShipped(
  folder: string,
  network: DetectorNetwork,
  state: ReadonlyMap<string, Float32Array>,
  facts: Omit<ShippedCard, "sha256" | "network">,
): Promise<ShippedCard> {
  const graph = inferenceGraph(network, { batch: 1, widthPx: 64, heightPx: 64 });
  const tensors = [...trainedWeights(network, state)].map(
    ([name, data]) =>
      [name, fromFloat32(graph.values.get(name)?.shape ?? [], data, "F16")] as const,
  );
  const bytes = writeSafetensors(new Map(tensors));
  const card: ShippedCard = { ...facts, network: network.options, sha256: await sha256(bytes) };
  await mkdir(folder, { recursive: true });
  await replace(join(folder, `${card.name}.safetensors`), bytes);
  await replace(join(folder, `${card.name}.json`), `${JSON.stringify(card, null, 2)}\n`);
  return card;
}

async function replace(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}
