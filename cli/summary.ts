/** What is said of a model before a run, and of a batch after it. */
import type { BatchSummary } from "../pipeline/node.ts";
import type { OpenedModel } from "./open-model.ts";
import { counted, duration, grouped } from "./say.ts";

export interface SceneSummary {
  readonly source: string;
  readonly objects: number;
  readonly byClass: Readonly<Record<string, number>>;
  readonly outputs: readonly string[];
}

/** Failures that are listed again at the end of a batch. */
const FAILURES_SHOWN = 10;

export function modelLines({ name, detector, engine }: OpenedModel): readonly string[] {
  const { card, decision, notices } = detector;
  const { width, height } = card.input;
  const facts = [
    `${name} sha256 ${card.sha256.slice(0, 8)}…`,
    `${decision.name} (${counted(card.classes.length, "class", "classes")})`,
    ...(width === undefined || height === undefined ? [] : [`${width}×${height} px`]),
    engine,
  ];
  return [`model      ${facts.join(" · ")}`, ...notices.map((notice) => `note       ${notice}`)];
}

/** The end of a batch of several scenes; one scene has said all that there is to say. */
export function batchLines(summary: BatchSummary, scenes: number): readonly string[] {
  const { completed, failed, skipped, cancelled, objects, elapsedMs, failures } = summary;
  if (scenes < 2) return cancelled ? ["cancelled; the same command goes on from here"] : [];
  const head = [
    `completed ${grouped(completed)}`,
    `failed ${grouped(failed)}`,
    `skipped ${grouped(skipped)}`,
    counted(objects, "object"),
    duration(elapsedMs),
  ];
  const left = failures.length - FAILURES_SHOWN;
  return [
    head.join(" · "),
    ...failures.slice(0, FAILURES_SHOWN).map(({ sentence }) => `  ${sentence}`),
    ...(left > 0 ? [`  and ${grouped(left)} more`] : []),
    ...(cancelled ? ["cancelled; the same command goes on from here"] : []),
  ];
}

/** The summary as `--json` prints it. */
export function summaryJson(summary: BatchSummary, scenes: readonly SceneSummary[]): string {
  const { failures, ...sums } = summary;
  return JSON.stringify({
    ...sums,
    scenes,
    failures: failures.map(({ source, code, sentence }) => ({ source, code, sentence })),
  });
}
