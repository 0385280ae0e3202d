/**
 * Shipped models: a `.safetensors` with the weights of one network and a card that says what it is. Their ONNX bytes are
 * built when they are loaded, for exactly the tile size and batch asked for.
 */
import type { ModelCard } from "../card.ts";
import { ModelError } from "../card.ts";
import { CARD_KEY } from "../metadata.ts";
import { toOnnx } from "../onnx/model.ts";
import { readSafetensors, toFloat32 } from "../onnx/safetensors.ts";
import { simplify } from "../onnx/simplify.ts";
import type { Weights } from "../onnx/weights.ts";
import { detector } from "./detector.ts";
import type { DetectorOptions } from "./detector.ts";
import type { GraphSize } from "./graphs.ts";
import { inferenceGraph, PORTS } from "./graphs.ts";

/** The card beside a `.safetensors`. */
export interface ShippedCard {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  readonly network: DetectorOptions;
  /** Whether it is used where no model is named; true of one card at most. */
  readonly isDefault?: boolean | undefined;
  readonly classes: readonly string[];
  /** SHA-256 of the `.safetensors`, hexadecimal. */
  readonly sha256: string;
  /** Metres per pixel of the training data; undefined where it is unknown or mixed. */
  readonly gsdM?: { readonly from: number; readonly to: number } | undefined;
  /** Side of the tiles that it was judged on. */
  readonly tilePx: number;
  readonly overlapPx: number;
  /** Scales beside 1 at which it looks at a scene. */
  readonly scales?: readonly number[] | undefined;
  readonly scoreAtLeast: number;
  readonly licence: string;
  /** What it was trained on, with licences. */
  readonly data: readonly string[];
  /** How it was trained, enough to do it again. */
  readonly recipe: Readonly<Record<string, number | string>>;
  /** What it reached: split, protocol and IoU are part of the key. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** @throws {ModelError} where the text is no card */
export function readShippedCard(text: string): ShippedCard {
  const card = JSON.parse(text) as Partial<ShippedCard>;
  if (
    card.network === undefined ||
    !Array.isArray(card.classes) ||
    typeof card.tilePx !== "number"
  ) {
    throw new ModelError(
      "readShippedCard: a card must hold network, classes and tilePx, received another JSON",
    );
  }
  return card as ShippedCard; // our own files: the rest is checked by the test that loads them all
}

/** Weights as float32, whatever they are stored as. */
export function readWeights(safetensors: Uint8Array): Weights {
  const { tensors } = readSafetensors(safetensors);
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}

/**
 * The ONNX file of a shipped model.
 *
 * @throws {ModelError} where the weights are not those of the card's network
 */
export function buildShipped(card: ShippedCard, weights: Weights, size: GraphSize): Uint8Array {
  const { graph, weights: folded } = simplify(
    inferenceGraph(detector(card.network), size),
    weights,
  );
  return toOnnx(graph, folded, { metadata: { [CARD_KEY]: JSON.stringify(cardFor(card, size)) } });
}

function cardFor(card: ShippedCard, { batch, widthPx, heightPx }: GraphSize): ModelCard {
  return {
    name: card.name,
    sha256: card.sha256,
    classes: card.classes,
    input: {
      name: PORTS.image,
      width: widthPx,
      height: heightPx,
      batch,
      channels: 3,
      layout: "B C Y X",
      order: "rgb",
      mean: [0, 0, 0],
      std: [255, 255, 255],
      fit: "pad",
      padValue: 114,
      type: "float32",
    },
    gsdM: card.gsdM,
    scoreAtLeast: card.scoreAtLeast,
    overlapPx: card.overlapPx,
    scales: card.scales,
    oriented: card.network.head === "oriented",
    provenance: {},
    licence: card.licence,
  };
}
