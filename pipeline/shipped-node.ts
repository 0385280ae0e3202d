/** The models that come with the package: `models/weights/NAME.json` and `NAME.safetensors`. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ShippedCard, Weights } from "../models/index.ts";
import { buildShipped, ModelError, readShippedCard, readWeights } from "../models/index.ts";
import { sha256 } from "./sha256.ts";

export interface Shipped {
  readonly card: ShippedCard;
  readonly weights: Weights;
}

/** Beside the sources; built files lie one folder deeper, in `dist`. */
function folder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const root = import.meta.url.endsWith(".ts") ? join(here, "..") : join(here, "..", "..");
  return join(root, "models", "weights");
}

/** Cards of all shipped models, by name. */
export async function listShipped(from: string = folder()): Promise<ShippedCard[]> {
  const files = await readdir(from).catch(() => []);
  const cards = files.filter((name) => name.endsWith(".json")).toSorted();
  return Promise.all(
    cards.map(async (name) => readShippedCard(await readFile(join(from, name), "utf8"))),
  );
}

/** @throws {ModelError} where no shipped model has the name, or its weights are not those of its card */
export async function openShipped(name: string, from: string = folder()): Promise<Shipped> {
  const cards = await listShipped(from);
  const card = cards.find((one) => one.name === name);
  if (card === undefined) {
    const names = cards.map((one) => one.name).join(", ") || "none";
    throw new ModelError(`openShipped: a model must be one of ${names}, received ${name}`);
  }
  const bytes = await readFile(join(from, `${name}.safetensors`));
  const found = await sha256(bytes);
  if (found !== card.sha256) {
    throw new ModelError(
      `openShipped: the weights of ${name} must hash to ${card.sha256}, received ${found}`,
    );
  }
  return { card, weights: readWeights(bytes) };
}

/** Strides of all shipped networks divide this. */
const STRIDE = 32;

/**
 * The ONNX bytes of a shipped model.
 *
 * @param size  `tilePx`: side of its tiles, rounded up to 32 px, by default the card's; `batch`: tiles in one run
 * @throws {ModelError} as {@link openShipped}
 */
export async function buildShippedModel(
  name: string,
  { tilePx, batch }: { readonly tilePx?: number | undefined; readonly batch: number },
  from?: string,
): Promise<Uint8Array> {
  const { card, weights } = await openShipped(name, from);
  const side = Math.ceil((tilePx ?? card.tilePx) / STRIDE) * STRIDE;
  return buildShipped(card, weights, { batch, widthPx: side, heightPx: side });
}
