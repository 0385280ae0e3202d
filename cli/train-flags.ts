/** The flags of `nadir train`, checked before anything is read. */
import {
  FAMILIES,
  type FamilyName,
  MIXERS,
  type MixerName,
  type SizeName,
} from "../models/index.ts";
import { SettingsError } from "../pipeline/index.ts";
import { wholeFlag } from "./whole-flag.ts";

export interface TrainFlags {
  readonly data: readonly string[];
  readonly model: string;
  readonly mixer?: string;
  readonly head: string;
  readonly out: string;
  readonly val?: readonly string[];
  readonly valEvery: string;
  readonly detectPx: string;
  readonly tilePx: string;
  readonly batch: string;
  readonly epochs: string;
  readonly rate: string;
  readonly seed: string;
  readonly synthetic?: string;
  readonly threads?: string;
  readonly from?: string;
  readonly resume?: boolean;
}

export const HEADS = ["axis-aligned", "oriented"] as const;

export interface TrainSettings {
  readonly family: FamilyName;
  readonly size: SizeName;
  readonly mixer: MixerName | undefined;
  readonly oriented: boolean;
  readonly valEvery: number;
  readonly detectPx: number;
  readonly tilePx: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
  /** Images; 0 for none. */
  readonly synthetic: number;
  /** Undefined for all cores. */
  readonly threads: number | undefined;
}

/** What the flags say, as numbers and names that there are. @throws {SettingsError} naming the first that is wrong */
export function checkFlags(flags: TrainFlags): TrainSettings {
  const whole = (flag: string, text: string, multiple = 1): number =>
    wholeFlag("train", flag, text, multiple);
  return {
    ...parseModel(flags.model),
    mixer: parseMixer(flags.mixer),
    oriented: parseHead(flags.head) === "oriented",
    valEvery: whole("val-every", flags.valEvery),
    detectPx: whole("detect-px", flags.detectPx, 32),
    tilePx: whole("tile-px", flags.tilePx, 32),
    batchSize: whole("batch", flags.batch),
    epochs: whole("epochs", flags.epochs),
    rate: parseRate(flags.rate),
    seed: whole("seed", flags.seed),
    synthetic: flags.synthetic === undefined ? 0 : whole("synthetic", flags.synthetic),
    threads: flags.threads === undefined ? undefined : whole("threads", flags.threads),
  };
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && Number.isFinite(rate)) return rate;
  throw new SettingsError(`train: --rate must be a number above 0, received ${text}`);
}

function parseModel(text: string): { readonly family: FamilyName; readonly size: SizeName } {
  const found = /^(.*)-(pico|nano|small)$/.exec(text);
  const family = found?.[1];
  if (family === undefined || !(family in FAMILIES)) {
    const families = Object.keys(FAMILIES).join(", ");
    throw new SettingsError(
      `train: --model must be one of ${families} and -pico, -nano or -small, received ${text}`,
    );
  }
  return { family: family as FamilyName, size: found?.[2] as SizeName }; // both have just been checked
}

function parseMixer(text: string | undefined): MixerName | undefined {
  if (text === undefined || text in MIXERS) return text as MixerName | undefined; // checked right here
  throw new SettingsError(
    `train: --mixer must be one of ${Object.keys(MIXERS).join(", ")}, received ${text}`,
  );
}

function parseHead(text: string): (typeof HEADS)[number] {
  const head = HEADS.find((each) => each === text);
  if (head !== undefined) return head;
  throw new SettingsError(`train: --head must be one of ${HEADS.join(", ")}, received ${text}`);
}
