/** An evaluation as text. */
import type { Evaluation, Mistake, OperatingPoint } from "../datasets/index.ts";
import { counted, grouped, table } from "./say.ts";

const MISTAKES: readonly Mistake[] = [
  "background",
  "duplicate",
  "localisation",
  "angle",
  "class",
  "missed",
];

/** `0.812`; a dash where there is nothing to find. */
const share = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "–" : value.toFixed(3);

const point = (best: OperatingPoint | undefined): readonly string[] =>
  best === undefined
    ? ["–", "–", "–", "–"]
    : [best.precision, best.recall, best.f1, best.scoreAtLeast].map(share);

export function evaluationText(evaluation: Evaluation): string {
  const { protocol, oriented, overlap, images, truth, found, classes, mistakes } = evaluation;
  const facts = [
    `${protocol.toUpperCase()}, ${oriented ? "oriented" : "upright"} boxes`,
    `overlap ${overlap.toFixed(2)}`,
    counted(images, "image"),
    counted(truth, "object"),
    counted(found, "detection"),
  ];
  const at = `AP${Math.round((protocol === "coco" ? 0.5 : overlap) * 100)}`;
  const has11 = evaluation.ap11 !== undefined;
  const scored = classes.filter((each) => each.truth > 0 || each.found > 0);
  const row = (
    name: string,
    of: Pick<Evaluation, "truth" | "found" | "ap50" | "ap" | "ap11" | "best">,
  ): readonly string[] => [
    name,
    grouped(of.truth),
    grouped(of.found),
    share(of.ap50),
    share(of.ap),
    ...(has11 ? [share(of.ap11)] : []),
    ...point(of.best),
  ];
  const head = ["class", "objects", "found", at, "AP50-95", ...(has11 ? [`${at} 11-point`] : [])];
  const scores = [
    [...head, "P", "R", "F1", "at score"],
    ...scored.map((each) => row(each.class, each)),
    ...(scored.length > 1 ? [row("all", evaluation)] : []),
  ];
  const causes = mistakes.classes.filter((_, i) => scored.includes(classes[i]!));
  const wrong = [
    [`mistakes at score ${share(evaluation.best?.scoreAtLeast)}`, "right", ...MISTAKES],
    ...[...causes, ...(causes.length > 1 ? [{ ...mistakes, class: "all" }] : [])].map(
      ({ class: name, right, mistakes: own }) => [
        name,
        grouped(right),
        ...MISTAKES.map((mistake) => grouped(own[mistake])),
      ],
    ),
  ];
  return [facts.join(" · "), "", table(scores), "", table(wrong)].join("\n");
}

/** Another way of scoring the same run, on one line. */
export function shortLine(name: string, { images, ap50, ap, best }: Evaluation): string {
  const f1 =
    best === undefined ? "" : ` · F1 ${share(best.f1)} at score ${share(best.scoreAtLeast)}`;
  return `\n${name} (${grouped(images)}): AP50 ${share(ap50)} · AP50-95 ${share(ap)}${f1}`;
}
