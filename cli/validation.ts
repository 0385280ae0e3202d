/** How good weights are while they are being trained: on labelled images, tiled and merged as in real use. */
import { alignDetections, evaluate, type Evaluation } from "../datasets/index.ts";
import { openScene } from "../datasets/node.ts";
import { buildShipped, type ShippedCard, type Weights } from "../models/index.ts";
import {
  detectSet,
  type Engine,
  loadDetector,
  resolveSettings,
  settingsOfModel,
} from "../pipeline/index.ts";
import { joinSets, type readTruth } from "./eval-inputs.ts";

export interface Validation {
  readonly evaluation: Evaluation;
  /** Images that could not be read, a sentence each. */
  readonly failures: readonly string[];
}

export interface ValidateOptions {
  readonly engine: Engine;
  readonly threads: number | undefined;
  readonly signal: AbortSignal;
}

/** Precision at low scores is part of AP: nearly all detections are scored. */
export const SCORED_FROM = 0.01;

/** Builds the model for its tile size and scores it; classes that the labels do not have are not scored. */
export async function validate(
  sets: readonly Awaited<ReturnType<typeof readTruth>>[],
  card: ShippedCard,
  weights: Weights,
  { engine, threads, signal }: ValidateOptions,
): Promise<Validation> {
  const { dataset, pathOf } = joinSets(sets);
  const side = card.tilePx;
  const bytes = buildShipped(card, weights, { batch: 1, widthPx: side, heightPx: side });
  await using detector = await loadDetector(bytes, engine, { threads });
  const { settings } = resolveSettings({
    option: { scoreAtLeast: SCORED_FROM },
    model: settingsOfModel(detector.card),
  });
  const open = (file: string) => openScene(pathOf(file));
  const { scenes, failures } = await detectSet(dataset, detector, settings, { open, signal });
  const { found } = alignDetections(scenes.truth, scenes.found);
  // An upright detector is not judged by how well its boxes follow slanted labels.
  const how = detector.card.oriented ? {} : { oriented: false };
  return { evaluation: evaluate(scenes.truth, found, how), failures };
}

/** `plane 0.812, ship 0.760, mean 0.786`: AP50 of the classes that there is something to find of. */
export function shortScores({ classes, ap50 }: Evaluation): string {
  const scored = classes.filter(({ truth }) => truth > 0);
  return [
    ...scored.map((each) => `${each.class} ${each.ap50.toFixed(3)}`),
    `mean ${ap50.toFixed(3)}`,
  ].join(", ");
}
