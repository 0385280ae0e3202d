/** The card of somebody's model: each fact from whoever knows it best, and a note of who that was. */
import { type ModelCard, ModelError, type ModelInput } from "./card.ts";
import { COCO } from "./coco.ts";
import type { HeadDecision, InputHabits } from "./decode/head.ts";
import type { Metadata } from "./metadata.ts";

/** What a caller knows better than the file. */
export interface CardOverrides {
  readonly name?: string | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly gsdM?: number | undefined;
  readonly order?: ModelInput["order"] | undefined;
  /** Of values in 0…255; one number, or one for each channel. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly fit?: ModelInput["fit"] | undefined;
  readonly padValue?: number | undefined;
}

/** What loading has found out. */
export interface Found {
  readonly sha256: string;
  readonly metadata: Metadata;
  readonly decision: HeadDecision;
  readonly input: Pick<
    ModelInput,
    "name" | "width" | "height" | "batch" | "channels" | "layout" | "type"
  >;
  /** Where the facts of `input` came from. */
  readonly provenance: Readonly<Record<string, string>>;
}

/** @throws {ModelError} where a list has the wrong length. */
export function describeModel(found: Found, overrides: CardOverrides = {}): ModelCard {
  const { metadata, decision, input } = found;
  const written = metadata.card ?? {
    name: metadata.description ?? decision.name,
    gsdM: point(metadata.gsdM),
    overlapPx: metadata.overlapPx,
    scoreAtLeast: metadata.scoreAtLeast,
    licence: metadata.licence,
  };
  const classes = chooseClasses(found, overrides);
  const habits = chooseHabits(found, overrides);
  const gsdM = first(["option", point(overrides.gsdM)], ["metadata", written.gsdM]);
  const overlapPx = first(["metadata", written.overlapPx]);
  const scoreAtLeast = first(["metadata", written.scoreAtLeast]);
  return {
    name: overrides.name ?? written.name,
    sha256: found.sha256,
    classes: classes.value,
    input: { ...input, ...habits.value },
    gsdM: gsdM?.value,
    scoreAtLeast: scoreAtLeast?.value,
    overlapPx: overlapPx?.value,
    scales: metadata.card?.scales,
    oriented: decision.oriented,
    licence: written.licence,
    provenance: {
      ...found.provenance,
      ...habits.from,
      ...sources({ classes, gsdM, scoreAtLeast, overlapPx }),
    },
  };
}

interface Fact<T> {
  readonly value: T;
  readonly from: string;
}

const sources = (
  facts: Readonly<Record<string, Fact<unknown> | undefined>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(facts).flatMap(([name, fact]) =>
      fact === undefined ? [] : [[name, fact.from]],
    ),
  );

/** The first source that knows. */
function first<T>(
  ...sources: readonly (readonly [from: string, value: T | undefined])[]
): Fact<T> | undefined {
  for (const [from, value] of sources) if (value !== undefined) return { value, from };
  return undefined;
}

const point = (gsdM: number | undefined): ModelCard["gsdM"] =>
  gsdM === undefined ? undefined : { from: gsdM, to: gsdM };

function chooseClasses(
  { metadata, decision }: Found,
  overrides: CardOverrides,
): Fact<readonly string[]> {
  const { classCount } = decision;
  const named = first(["option", overrides.classes], ["metadata", metadata.classes]);
  if (named !== undefined) {
    if (classCount !== undefined && named.value.length !== classCount) {
      throw new ModelError(
        `describeModel: classes must name the ${classCount} classes of the outputs, ` +
          `received ${named.value.length} names (${named.from})`,
      );
    }
    return named;
  }
  const usual = decision.classes ?? COCO;
  if (classCount === undefined || classCount === usual.length) {
    return { value: usual, from: "family default" };
  }
  const numbers = Array.from({ length: classCount }, (_, i) => `class ${i}`);
  return { value: numbers, from: "shape" };
}

function chooseHabits(
  { metadata, decision, input }: Found,
  overrides: CardOverrides,
): { readonly value: InputHabits; readonly from: Readonly<Record<string, string>> } {
  const usual = decision.habits;
  const written = metadata.card?.input;
  const isByte = input.type === "uint8"; // a network that takes bytes normalises them itself
  const order = pick(overrides.order, written?.order, usual.order);
  const mean = pick(overrides.mean, written?.mean ?? metadata.mean, isByte ? [0] : usual.mean);
  const std = pick(overrides.std, written?.std ?? metadata.std, isByte ? [1] : usual.std);
  const fit = pick(overrides.fit, written?.fit, usual.fit);
  const padValue = pick(overrides.padValue, written?.padValue, usual.padValue);
  return {
    value: {
      order: order.value,
      mean: perChannel("mean", mean, input.channels),
      std: perChannel("std", std, input.channels),
      fit: fit.value,
      padValue: padValue.value,
    },
    from: {
      order: order.from,
      mean: mean.from,
      std: std.from,
      fit: fit.from,
      padValue: padValue.from,
    },
  };
}

function pick<T>(option: T | undefined, metadata: T | undefined, usual: T): Fact<T> {
  return (
    first(["option", option], ["metadata", metadata]) ?? { value: usual, from: "family default" }
  );
}

/** One number serves all channels; so does the average of a family's three, where a model has other channels. */
function perChannel(
  what: string,
  { value, from }: Fact<readonly number[]>,
  channels: number,
): readonly number[] {
  if (value.length === channels) return value;
  if (value.length !== 1 && from !== "family default") {
    throw new ModelError(
      `describeModel: ${what} must hold one number or ${channels}, received ${value.length} (${from})`,
    );
  }
  const average = value.reduce((a, b) => a + b, 0) / value.length;
  return Array.from({ length: channels }, () => average);
}
