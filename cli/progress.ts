/**
 * One renderer of run events: a bar on a terminal, NDJSON for programs, a plain line every ten seconds where
 * neither is there. It writes to standard error only.
 */
import type { PlanEvent, RunEvent, SceneEvent } from "../pipeline/index.ts";
import type { Io } from "./io.ts";
import { LiveLine } from "./live-line.ts";
import {
  bytes,
  clock,
  type Colors,
  colorsFor,
  counted,
  duration,
  grouped,
  resolution,
} from "./say.ts";

export const PROGRESS_MODES = ["auto", "bar", "lines", "json", "none"] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];

export interface Progress {
  readonly onEvent: (event: RunEvent) => void;
  /** Writes a line of text without breaking the bar. */
  readonly say: (line: string) => void;
  /** Takes the bar away. */
  readonly close: () => void;
}

const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 10_000;

/** @param memory bytes the process holds; shown beside the bar */
export function createProgress(
  io: Io,
  mode: ProgressMode,
  memory: () => number = () => process.memoryUsage.rss(),
): Progress {
  const chosen = mode === "auto" ? (io.stderr.isTTY ? "bar" : "lines") : mode;
  const write = (line: string): void => io.stderr.write(`${line}\n`);
  if (chosen === "json") {
    return {
      onEvent: (event) => write(JSON.stringify(event)),
      say: (message) => write(JSON.stringify({ type: "message", message })),
      close: () => {},
    };
  }
  if (chosen === "none") return { onEvent: () => {}, say: write, close: () => {} };
  return forPeople(io, chosen, memory);
}

/** How fast a scene's tiles come, and how many are done. */
interface Pace {
  readonly startedMs: number;
  /** Tiles that were done before any was detected. */
  readonly before: number;
  done: number;
  total: number;
  objects: number;
}

function forPeople(io: Io, mode: "bar" | "lines", memory: () => number): Progress {
  const colors = colorsFor(io.stderr, io.env);
  const paces = new Map<string, Pace>();
  const line = new LiveLine(io.stderr);
  const say = (said: string): void => line.say(said);
  let drawnMs = -Infinity;

  const draw = (): void => {
    const now = io.now();
    if (now - drawnMs < (mode === "bar" ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
    drawnMs = now;
    const text = paceText(totalOf(paces), now, memory());
    if (mode === "lines") return say(text);
    const width = Math.min(24, line.room - text.length - 2);
    const bar = width >= 8 ? `${drawBar(paces, width, colors)}  ` : "";
    line.draw(`${bar}${text.slice(0, line.room)}`);
  };

  const onEvent = (event: RunEvent): void => {
    switch (event.type) {
      case "scene":
        return say(sceneLine(event, colors));
      case "plan":
        paces.set(event.source, {
          startedMs: io.now(),
          before: event.skipped + event.resumed,
          done: event.skipped + event.resumed,
          total: event.tiles,
          objects: 0,
        });
        if (mode === "lines") drawnMs = io.now();
        return say(planLine(event, colors));
      case "tiles":
        Object.assign(paces.get(event.source) ?? {}, {
          done: event.done,
          total: event.total,
          objects: event.objects,
        });
        return draw();
      case "note":
        return say(`${colors.yellow("note")}       ${event.message}`);
      case "done":
        paces.delete(event.source);
        return say(doneLines(event, colors));
      case "skipped":
        return say(`${colors.dim("skipped")}    ${event.source}: ${event.reason}`);
      case "failed":
        paces.delete(event.source);
        return say(`${colors.red("failed")}     ${event.sentence}`);
    }
  };
  return { onEvent, say, close: () => line.clear() };
}

function sceneLine(event: SceneEvent, colors: Colors): string {
  const facts = [
    `${grouped(event.width)}×${grouped(event.height)} px`,
    event.crs ?? "no CRS",
    event.gsdM === undefined ? "resolution unknown" : resolution(event.gsdM),
    `${event.sampleType}×${event.bands}`,
    ...(event.nodata === undefined ? [] : [`nodata ${event.nodata}`]),
  ];
  return `${colors.bold(event.source)}  ${facts.join(" · ")}`;
}

function planLine(event: PlanEvent, colors: Colors): string {
  const { tiles, skipped, resumed, tilePx, overlapPx, batch } = event;
  const left = tiles - skipped - resumed;
  const why = [
    ...(skipped > 0 ? [`${grouped(skipped)} without data`] : []),
    ...(resumed > 0 ? [`${grouped(resumed)} done before`] : []),
  ];
  const note = why.length > 0 ? ` (${why.join(", ")})` : "";
  const counts = left === tiles ? grouped(tiles) : `${grouped(left)} of ${grouped(tiles)}${note}`;
  return `${colors.dim("tiles")}      ${counts}  ${tilePx} px  overlap ${overlapPx}  batch ${batch}`;
}

function doneLines(event: RunEvent & { type: "done" }, colors: Colors): string {
  const classes = Object.entries(event.byClass)
    .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${grouped(count)}`);
  const shown = classes.length > 6 ? [...classes.slice(0, 6), "…"] : classes;
  const what = shown.length > 0 ? ` (${shown.join(", ")})` : "";
  const raw = event.raw > event.objects ? ` after merging ${grouped(event.raw)} raw` : "";
  return [
    `${colors.green("done")}       in ${duration(event.elapsedMs)}: ${counted(event.objects, "object")}${what}${raw}`,
    `${colors.dim("wrote")}      ${event.outputs.join(", ")}`,
  ].join("\n");
}

/** Scenes that are under way, as one. */
function totalOf(paces: ReadonlyMap<string, Pace>): Pace {
  const all = [...paces.values()];
  const sum = (of: (pace: Pace) => number): number => all.reduce((n, pace) => n + of(pace), 0);
  return {
    startedMs: Math.min(...all.map(({ startedMs }) => startedMs)),
    before: sum(({ before }) => before),
    done: sum(({ done }) => done),
    total: sum(({ total }) => total),
    objects: sum(({ objects }) => objects),
  };
}

function paceText(
  { startedMs, before, done, total, objects }: Pace,
  now: number,
  rss: number,
): string {
  const perMs = (done - before) / Math.max(1, now - startedMs);
  const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
  const eta = perMs > 0 ? clock((total - done) / perMs) : "–";
  return [
    `${grouped(done)}/${grouped(total)}`,
    `${percent} %`,
    `${(perMs * 1000).toFixed(1)} tiles/s`,
    `ETA ${eta}`,
    `objects ${grouped(objects)}`,
    `RSS ${bytes(rss)}`,
  ].join("  ");
}

function drawBar(paces: ReadonlyMap<string, Pace>, width: number, colors: Colors): string {
  const { done, total } = totalOf(paces);
  const full = total > 0 ? Math.round((width * Math.min(done, total)) / total) : width;
  return colors.cyan("█".repeat(full)) + colors.dim("░".repeat(width - full));
}
