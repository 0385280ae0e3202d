/** What a training run says while it runs: a log line for every event, and a live line for people. */
import { appendFile } from "node:fs/promises";
import type { Evaluation } from "../datasets/index.ts";
import type { TrainEvent } from "../pipeline/node.ts";
import type { Io } from "./io.ts";
import { LiveLine } from "./live-line.ts";
import { counted, duration, grouped } from "./say.ts";
import { shortScores } from "./validation.ts";

export type Watched =
  | TrainEvent
  | { readonly kind: "validation"; readonly epoch: number; readonly evaluation: Evaluation };

export interface Watcher {
  readonly onEvent: (event: Watched) => Promise<void>;
  /** Leaves the terminal to what comes next. */
  readonly close: () => void;
}

/** Writes every event to the log; to people the last step, in place on a terminal, else every ten seconds. */
export function watcher(io: Io, log: string, from = "the weights"): Watcher {
  let saidAt = -Infinity;
  let validation = "";
  const live = new LiveLine(io.stderr);
  const say = (line: string): void => live.say(line);
  const keep = (line: object): Promise<void> => appendFile(log, `${JSON.stringify(line)}\n`);
  const onEvent: Watcher["onEvent"] = async (event) => {
    if (event.kind === "bad image") {
      say(`skipped ${event.image.path}: ${event.image.reason}`);
      await keep(event);
    } else if (event.kind === "crowded tiles") {
      say(
        `${counted(event.tiles, "tile")} held more objects than a step takes; the smallest ${grouped(event.leftOut)} were left out (smaller --tile-px)`,
      );
      await keep(event);
    } else if (event.kind === "start") {
      say(`took ${event.taken} of ${counted(event.of, "tensor")} from ${from}`);
      await keep(event);
    } else if (event.kind === "bad images") {
      say(`skipped ${counted(event.images, "image")} in all, for ${counted(event.draws, "tile")}`);
      await keep(event);
    } else if (event.kind === "epoch") {
      say(`epoch ${event.epoch} of ${event.epochs} done`);
      await keep({ kind: "epoch", epoch: event.epoch });
    } else if (event.kind === "validation") {
      say(`AP50 after epoch ${event.epoch}: ${shortScores(event.evaluation)}`);
      validation = `  AP50 ${event.evaluation.ap50.toFixed(3)}`;
      await keep({ kind: "validation", epoch: event.epoch, ...metricsOf(event.evaluation) });
    } else {
      await keep(event);
      const now = io.now();
      if (now - saidAt < (io.stderr.isTTY ? 500 : 10_000)) return;
      saidAt = now;
      const { step, steps, loss, rate, ms, waitedMs } = event;
      const left = duration((steps - step) * (ms + waitedMs));
      const text = `step ${step}/${steps}  loss ${loss.total.toFixed(3)} (class ${loss.classes.toFixed(3)}, box ${loss.boxes.toFixed(3)})  rate ${rate.toPrecision(2)}  ${ms.toFixed(0)} ms  ETA ${left}${validation}`;
      if (io.stderr.isTTY) live.draw(text.slice(0, live.room));
      else say(text);
    }
  };
  return { onEvent, close: () => live.clear() };
}

/** AP of every class that there is something to find of, and their means. */
export function metricsOf({ classes, ap50, ap }: Evaluation): Readonly<Record<string, number>> {
  const round = (value: number): number => Math.round(value * 1e4) / 1e4;
  const scored = classes.filter(({ truth }) => truth > 0);
  const each = scored.flatMap((one) => [
    [`${one.class} AP50`, round(one.ap50)] as const,
    [`${one.class} AP50-95`, round(one.ap)] as const,
  ]);
  return Object.fromEntries([...each, ["AP50", round(ap50)], ["AP50-95", round(ap)]]);
}
