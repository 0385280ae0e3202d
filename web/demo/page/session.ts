/** All that the page knows, as signals, and what it can ask for. The worker answers with events. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { FoundObject } from "../../../pipeline/index.ts";
import {
  type Event,
  type ExportFormat,
  isChosen,
  type LabResult,
  type ModelChoice,
  type ModelReady,
  type Request,
  type RunDone,
  type RunSettings,
  type Sample,
  type SceneOpened,
  type TileDone,
} from "../messages.ts";
import { deliver } from "./download.ts";

/** Objects of one tile that its neighbours may still change. */
interface Provisional {
  /** Where the tile ends, in rows of the scene. */
  readonly bottom: number;
  readonly objects: readonly FoundObject[];
}

/** Tiles of the run under way. */
export interface Progress {
  readonly done: number;
  /** Undefined while the run is planned. */
  readonly total: number | undefined;
}

/** A class in the legend. */
export interface ClassRow {
  readonly index: number;
  readonly name: string;
  readonly colour: string;
  /** Objects at or above the slider. */
  readonly count: number;
  readonly hidden: boolean;
}

export interface Session {
  readonly scene: ReadonlySignal<SceneOpened | undefined>;
  readonly model: ReadonlySignal<ModelReady | undefined>;
  /** What is being done, where it is no run: opening, loading, measuring. */
  readonly busy: ReadonlySignal<string | undefined>;
  readonly progress: ReadonlySignal<Progress | undefined>;
  /** The last tile that was looked at, in pixels of the scene; undefined when no run is under way. */
  readonly tile: ReadonlySignal<TileDone["bounds"] | undefined>;
  readonly settled: ReadonlySignal<readonly FoundObject[]>;
  readonly provisional: ReadonlySignal<readonly FoundObject[]>;
  readonly done: ReadonlySignal<RunDone | undefined>;
  /** What went wrong last, as a sentence. */
  readonly problem: Signal<string | undefined>;
  readonly notes: ReadonlySignal<readonly string[]>;
  readonly scoreAtLeast: Signal<number>;
  readonly hidden: Signal<ReadonlySet<number>>;
  readonly settings: Signal<RunSettings>;
  readonly selected: Signal<FoundObject | undefined>;
  /** The object that the viewer should bring into the middle. */
  readonly target: ReadonlySignal<FoundObject | undefined>;
  /** Settled objects that slider and legend leave, from the highest score to the lowest. */
  readonly shown: ReadonlySignal<readonly FoundObject[]>;
  readonly legend: ReadonlySignal<readonly ClassRow[]>;
  /** The attention lab's last result. */
  readonly lab: Signal<LabResult | undefined>;
  readonly open: (source: File | Sample) => void;
  /** Selects an object and brings it into the middle. */
  readonly goTo: (object: FoundObject | undefined) => void;
  readonly load: (choice: ModelChoice) => void;
  readonly compare: () => void;
  readonly detect: () => void;
  readonly cancel: () => void;
  readonly save: (format: ExportFormat) => void;
  /** Puts a tile through the operators of the attention lab: round the chosen object, or the middle of the scene. */
  readonly examine: () => void;
}

/** Of every part of the page. */
export interface SessionProps {
  readonly session: Session;
}

/** Starts the worker and keeps what it says. */
export function createSession(startWorker: () => Worker): Session {
  const scene = signal<SceneOpened | undefined>(undefined);
  const model = signal<ModelReady | undefined>(undefined);
  const busy = signal<string | undefined>(undefined);
  const progress = signal<Progress | undefined>(undefined);
  const tile = signal<TileDone["bounds"] | undefined>(undefined);
  const settled = signal<readonly FoundObject[]>([]);
  const waiting = signal<readonly Provisional[]>([]);
  const done = signal<RunDone | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const notes = signal<readonly string[]>([]);
  const scoreAtLeast = signal(0);
  const hidden = signal<ReadonlySet<number>>(new Set());
  const settings = signal<RunSettings>({});
  const selected = signal<FoundObject | undefined>(undefined);
  const target = signal<FoundObject | undefined>(undefined);
  const lab = signal<LabResult | undefined>(undefined);

  const choice = computed(() => ({
    scoreAtLeast: scoreAtLeast.value,
    hiddenClasses: hidden.value,
  }));
  const passes = (object: FoundObject): boolean => isChosen(object, choice.value);
  const shown = computed(() => settled.value.filter(passes).toSorted((a, b) => b.score - a.score));
  const provisional = computed(() =>
    waiting.value.flatMap(({ objects }) => objects).filter(passes),
  );

  let worker = employ();

  /** A worker that dies (out of memory, mostly) takes its scene with it; another one takes its place. */
  function employ(): Worker {
    const next = startWorker();
    let hasAnswered = false;
    next.onmessage = ({ data }: MessageEvent<Event>) => {
      hasAnswered = true;
      batch(() => hear(data));
    };
    next.onerror = (error) => {
      error.preventDefault();
      next.terminate();
      // One that never came up would only fail again.
      if (hasAnswered) worker = employ();
      batch(() => {
        idle();
        forget();
        [scene.value, model.value] = [undefined, undefined];
        problem.value = hasAnswered
          ? `The worker stopped (${error.message || "no reason given"}). It may have run out of memory; open the scene again.`
          : `The worker could not be started (${error.message || "no reason given"}); reload the page.`;
      });
    };
    return next;
  }

  const ask = (request: Request): void => worker.postMessage(request);

  function idle(): void {
    [busy.value, progress.value, tile.value] = [undefined, undefined, undefined];
  }

  function forget(): void {
    [settled.value, waiting.value] = [[], []];
    [done.value, selected.value, target.value] = [undefined, undefined, undefined];
  }

  function hear(event: Event): void {
    switch (event.type) {
      case "busy":
        busy.value = event.with;
        return;
      case "idle":
        return idle();
      case "note":
        notes.value = [...notes.value, event.sentence];
        return;
      case "scene":
        forget();
        scene.value?.picture.close();
        lab.value = undefined;
        scene.value = event;
        return;
      case "model":
        if (event.sha256 !== model.value?.sha256) {
          forget();
          hidden.value = new Set();
          scoreAtLeast.value = event.scoreAtLeast;
        }
        model.value = event;
        return;
      case "planning":
        [busy.value, progress.value] = [undefined, { done: 0, total: undefined }];
        return;
      case "started":
        forget();
        progress.value = { done: 0, total: event.total };
        return;
      case "tile":
        return hearTile(event);
      case "done":
        [settled.value, waiting.value, done.value] = [event.objects, [], event];
        return;
      case "exported":
        deliver(event).catch((error: unknown) => {
          problem.value = `The ${event.format} could not be written: ${String(error)}`;
        });
        return;
      case "lab":
        lab.value = event;
        return;
      case "failed":
        waiting.value = [];
        problem.value = event.sentence;
        return;
      default:
        event satisfies never;
    }
  }

  function hearTile(event: TileDone): void {
    progress.value = { done: event.done, total: event.total };
    tile.value = event.bounds;
    if (event.settled.length > 0) settled.value = [...settled.value, ...event.settled];
    const known = new Set(event.settled.map(place));
    const seen = { bottom: event.bounds[3], objects: event.seen };
    waiting.value = [...waiting.value, seen]
      .filter(({ bottom }) => bottom > event.settledAbove)
      .map(({ bottom, objects }) => ({
        bottom,
        objects: known.size === 0 ? objects : objects.filter((one) => !known.has(place(one))),
      }));
  }

  return {
    scene,
    model,
    busy,
    progress,
    tile,
    settled,
    provisional,
    done,
    problem,
    notes,
    scoreAtLeast,
    hidden,
    settings,
    selected,
    target,
    lab,
    shown,
    legend: computed(() =>
      legendOf(model.value, settled.value, provisional.value, scoreAtLeast.value, hidden.value),
    ),
    open: (source) => {
      [problem.value, notes.value] = [undefined, []];
      ask({ type: "cancel" });
      ask({ type: "open", source, settings: settings.value });
    },
    goTo: (object) => ([selected.value, target.value] = [object, object]),
    load: (wanted) => {
      problem.value = undefined;
      ask({ type: "cancel" });
      ask({ type: "model", choice: wanted });
    },
    compare: () => ask({ type: "compare" }),
    detect: () => {
      [problem.value, notes.value] = [undefined, []];
      progress.value = { done: 0, total: undefined };
      ask({ type: "detect", settings: settings.value });
    },
    cancel: () => ask({ type: "cancel" }),
    save: (format) => ask({ type: "export", format, choice: choice.value }),
    examine: () => {
      const open = scene.value;
      if (open === undefined) return;
      const { corners } = selected.value ?? { corners: [0, 0, 0, 0, open.width, open.height] };
      const at = [(corners[0]! + corners[4]!) / 2, (corners[1]! + corners[5]!) / 2] as const;
      ask({ type: "lab", at });
    },
  };
}

/** The same for an object and its merged self, which lie at the same place. */
const place = ({ classIndex, corners }: FoundObject): string =>
  [classIndex, corners[0]! + corners[4]!, corners[1]! + corners[5]!].map(Math.round).join(" ");

function legendOf(
  model: ModelReady | undefined,
  settled: readonly FoundObject[],
  provisional: readonly FoundObject[],
  scoreAtLeast: number,
  hidden: ReadonlySet<number>,
): readonly ClassRow[] {
  if (model === undefined) return [];
  const counts = new Map<number, number>();
  const count = ({ classIndex }: FoundObject): unknown =>
    counts.set(classIndex, (counts.get(classIndex) ?? 0) + 1);
  settled.filter(({ score }) => score >= Math.fround(scoreAtLeast)).forEach(count);
  provisional.forEach(count);
  return model.classes.map((name, index) => ({
    index,
    name,
    colour: model.colours[index] ?? "#888",
    count: counts.get(index) ?? 0,
    hidden: hidden.has(index),
  }));
}
