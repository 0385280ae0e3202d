/** The stretch: which sample values become 0 and 255, decided once per scene and never per tile. */
import type { SampleType, Scene, Window } from "../datasets/index.ts";
import { type BandChoice, toColours } from "./bands.ts";
import { dataOnly } from "./nodata.ts";
import { parseStretch, type Stretch } from "./settings/stretch.ts";

/** Sample values that become 0 and 255, for each band of the choice; values outside are cut off. */
export interface DecidedStretch {
  /** What was asked for and what it came to: `auto → p2-98`. */
  readonly text: string;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** Least long side of the level that statistics are taken from. */
const SUFFICIENT_PX = 1024;
/** Most pixels that statistics are taken from, by windows spread over the scene where there is no overview. */
const SAMPLE_PX = 1 << 20;

type Rule = Exclude<Stretch, { readonly kind: "auto" }>;
const AS_IT_IS: Rule = { kind: "none" };
const MIDDLE: Rule = { kind: "percentile", low: 2, high: 98 };

const RANGES: Readonly<Record<SampleType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65_535],
  int16: [-32_768, 32_767],
  uint32: [0, 4_294_967_295],
  int32: [-2_147_483_648, 2_147_483_647],
  // Reflectances and other normalised products.
  float32: [0, 1],
  float64: [0, 1],
};

export interface StretchOptions {
  readonly nodata?: number | "none" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decides the stretch of a scene: from its coarsest overview of at least 1024 px where values must be looked at,
 * nodata, NaN and infinities left out. A band without any contrast becomes 0.
 *
 * @param setting as the setting `stretch` has it
 */
export async function decideStretch(
  scene: Scene,
  choice: BandChoice,
  setting: string,
  options: StretchOptions = {},
): Promise<DecidedStretch> {
  const eightBit = scene.sampleType === "uint8" || choice.how === "palette";
  const asked = parseStretch(setting);
  const rule = asked.kind === "auto" ? (eightBit ? AS_IT_IS : MIDDLE) : asked;
  const named = rule.kind === "percentile" ? `p${rule.low}-${rule.high}` : rule.kind;
  const text = asked.kind === "auto" ? `auto → ${named}` : setting;
  const count = choice.how === "direct" ? choice.read.length : choice.how === "palette" ? 3 : 1;
  const all = (low: number, high: number): DecidedStretch => ({
    text,
    low: Array.from({ length: count }, () => low),
    high: Array.from({ length: count }, () => high),
  });
  switch (rule.kind) {
    case "none":
      return all(0, 255);
    case "dtype":
      return all(...(choice.how === "palette" ? RANGES.uint8 : RANGES[scene.sampleType]));
    case "range":
      return all(rule.low, rule.high);
    case "minmax":
      return { text, ...(await quantiles(scene, choice, 0, 100, options)) };
    case "percentile":
      return { text, ...(await quantiles(scene, choice, rule.low, rule.high, options)) };
    default:
      return rule satisfies never;
  }
}

/** Percentiles of each band, between samples as NumPy's default does. */
async function quantiles(
  scene: Scene,
  choice: BandChoice,
  low: number,
  high: number,
  options: StretchOptions,
): Promise<Pick<DecidedStretch, "low" | "high">> {
  const bands = (await samples(scene, choice, options)).map((values) => values.sort());
  const ends = bands.map((values) => {
    const from = quantile(values, low / 100);
    const to = quantile(values, high / 100);
    return from < to ? [from, to] : [from, from + 1];
  });
  return { low: ends.map(([from = 0]) => from), high: ends.map(([, to = 1]) => to) };
}

function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return 0;
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

/** Sample values of each band that are data, from windows spread over the coarsest sufficient level. */
async function samples(
  scene: Scene,
  choice: BandChoice,
  { nodata, signal }: StretchOptions,
): Promise<Float64Array[]> {
  const level = Math.max(
    0,
    scene.levels.findLastIndex(({ width, height }) => Math.max(width, height) >= SUFFICIENT_PX),
  );
  const parts: Float64Array[][] = [];
  for (const window of spread(scene.levels[level] ?? scene)) {
    const read = await scene.read(window, { bands: choice.read, level, signal });
    const { bands, valid } = toColours(dataOnly(read, nodata), choice);
    const data = (_: number, i: number): boolean => valid === undefined || valid[i] === 1;
    bands.forEach((band, i) => (parts[i] ??= []).push(Float64Array.from(band).filter(data)));
  }
  return parts.map(concatenated);
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The whole level where it is small, else 64 windows of equal distance. */
function spread({ width, height }: { readonly width: number; readonly height: number }): Window[] {
  if (width * height <= 2 * SAMPLE_PX) return [{ x: 0, y: 0, width, height }];
  const [across, down] = [Math.min(8, width), Math.min(8, height)];
  const size = {
    width: Math.min(Math.floor(width / across), Math.sqrt(SAMPLE_PX) / 8),
    height: Math.min(Math.floor(height / down), Math.sqrt(SAMPLE_PX) / 8),
  };
  const at = (i: number, count: number, length: number, part: number): number =>
    count === 1 ? 0 : Math.round((i / (count - 1)) * (length - part));
  return Array.from({ length: across * down }, (_, i) => ({
    x: at(i % across, across, width, size.width),
    y: at(Math.floor(i / across), down, height, size.height),
    ...size,
  }));
}
