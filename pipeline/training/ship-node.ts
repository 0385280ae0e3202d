/** Trained weights as a shipped model: in half precision, and a card. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../../datasets/node.ts";
import type { DetectorNetwork, ShippedCard, Weights } from "../../models/index.ts";
import { checkWeights, fromFloat32, inferenceGraph, writeSafetensors } from "../../models/index.ts";
import { sha256 } from "../sha256.ts";

/**
 * Significant binary digits, of the 11 of a half, that kernels and matrices keep: detections hardly change (see
 * `models/weights/README.md`), and the file, whose low bits are then zeros, is a third smaller on the way to a browser.
 */
const DIGITS = 7;

/** Writes `NAME.safetensors` and `NAME.json` into `folder`. */
export async function writeShipped(
  folder: string,
  network: DetectorNetwork,
  weights: Weights,
  facts: Omit<ShippedCard, "sha256" | "network">,
): Promise<ShippedCard> {
  const graph = inferenceGraph(network, { batch: 1, widthPx: 64, heightPx: 64 });
  checkWeights(graph, weights);
  const tensors = [...graph.weights.keys()].map((name) => {
    const { shape } = graph.values.get(name) ?? { shape: [] };
    const data = weights.get(name) ?? new Float32Array();
    const digits = shape.length < 2 ? undefined : DIGITS;
    return [name, fromFloat32(shape, data, "F16", digits)] as const;
  });
  const bytes = writeSafetensors(new Map(tensors));
  const card: ShippedCard = { ...facts, network: network.options, sha256: await sha256(bytes) };
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, `${card.name}.safetensors`), bytes);
  await writeWhole(join(folder, `${card.name}.json`), `${JSON.stringify(card, null, 2)}\n`);
  return card;
}
