/**
 * The kinds of settings: each knows its JSON schema, how it is written on a command line, and how to say
 * what it must be.
 */
import Type, { type TSchema } from "typebox";

/** The headings under which settings are listed. */
export type SettingGroup = "model" | "pixels" | "tiles" | "objects" | "output" | "engine" | "run";

/**
 * The first stage of the flow that a setting changes: raw detections of tiles, the merged objects, the files,
 * or nothing but how the work is done. A journal of tiles stays valid while the `tiles` settings stay.
 */
export type SettingStage = "tiles" | "merge" | "output" | "run";

/** What is said of a setting, whatever its kind. */
export interface About<T> {
  /** One sentence for help pages and API documentation. */
  readonly doc: string;
  readonly group: SettingGroup;
  readonly stage: SettingStage;
  /** Used where nobody says otherwise; `undefined`: the flow decides from the scene or the model. */
  readonly fallback: T;
  /** Shorter names of the flag, without dashes. */
  readonly aliases?: readonly string[];
}

export interface Field<T> extends About<T> {
  readonly schema: TSchema;
  /** Ends the sentence "… must be". */
  readonly must: string;
  /** The argument in a help page; undefined for a switch. */
  readonly argument: string | undefined;
  /** What a flag or an environment variable says, as JSON; the schema judges it afterwards. */
  readonly parse: (text: string) => unknown;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What is no number stays text, and is refused as what it is. */
const toNumber = (text: string): unknown =>
  text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
const toList = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** A whole number. */
export function integer<T extends number | undefined>({
  min,
  max,
  ...about
}: About<T> & Range): Field<T> {
  return {
    ...about,
    schema: Type.Integer({ minimum: min, maximum: max }),
    must: `a whole number from ${min} to ${max}`,
    argument: "<number>",
    parse: toNumber,
  };
}

/** A finite number, `min` and `max` included. */
export function real<T extends number | undefined>({
  min,
  max,
  ...about
}: About<T> & Range): Field<T> {
  return {
    ...about,
    schema: Type.Number({ minimum: min, maximum: max }),
    must: `a number from ${min} to ${max}`,
    argument: "<number>",
    parse: toNumber,
  };
}

/** A number, or one word in its place. */
export function numberOr<const W extends string>({
  word,
  min,
  max,
  ...about
}: About<number | W | undefined> & Range & { readonly word: W }): Field<number | W | undefined> {
  return {
    ...about,
    schema: Type.Union([Type.Number({ minimum: min, maximum: max }), Type.Literal(word)]),
    must:
      min === -Number.MAX_VALUE
        ? `a number or "${word}"`
        : `a number from ${min} to ${max}, or "${word}"`,
    argument: `<number|${word}>`,
    parse: (text) => (text === word ? text : toNumber(text)),
  };
}

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

/** Yes or no; a flag without an argument. */
export function toggle(about: About<boolean>): Field<boolean> {
  return {
    ...about,
    schema: Type.Boolean(),
    must: "true or false",
    argument: undefined,
    parse: (text) => WORDS[text.toLowerCase()] ?? text,
  };
}

/** One of a few words. */
export function choice<const W extends string>({
  words,
  ...about
}: About<W> & { readonly words: readonly W[] }): Field<W> {
  return {
    ...about,
    schema: Type.Union(words.map((word) => Type.Literal(word))),
    must: `one of ${words.join(", ")}`,
    argument: `<${words.join("|")}>`,
    parse: (text) => text,
  };
}

/** Some of a few words, at least one; `alias` gives the one word for others that a flag may use. */
export function choices<const W extends string>({
  words,
  alias,
  ...about
}: About<readonly W[]> & {
  readonly words: readonly W[];
  readonly alias: (word: string) => string;
}): Field<readonly W[]> {
  return {
    ...about,
    schema: Type.Array(Type.Union(words.map((word) => Type.Literal(word))), { minItems: 1 }),
    must: `a list of ${words.join(", ")}`,
    argument: "<list>",
    parse: (given) => toList(given).map(alias),
  };
}

/** A text that a pattern describes. */
export function text<T extends string | undefined>({
  pattern,
  must,
  argument,
  ...about
}: About<T> & {
  readonly pattern: RegExp;
  readonly must: string;
  readonly argument: string;
}): Field<T> {
  return {
    ...about,
    schema: Type.String({ pattern: pattern.source }),
    must,
    argument,
    parse: (given) => given,
  };
}

/** Names, at least one. */
export function names(
  about: About<readonly string[] | undefined>,
): Field<readonly string[] | undefined> {
  return {
    ...about,
    schema: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    must: "a list of names",
    argument: "<list>",
    parse: toList,
  };
}

/** Numbers, maybe none. */
export function reals({
  min,
  max,
  ...about
}: About<readonly number[]> & Range): Field<readonly number[]> {
  return {
    ...about,
    schema: Type.Array(Type.Number({ minimum: min, maximum: max })),
    must: `a list of numbers from ${min} to ${max}`,
    argument: "<list>",
    parse: (given) => toList(given).map(toNumber),
  };
}

/** Whole numbers, at least one. */
export function integers({
  min,
  max,
  ...about
}: About<readonly number[] | undefined> & Range): Field<readonly number[] | undefined> {
  return {
    ...about,
    schema: Type.Array(Type.Integer({ minimum: min, maximum: max }), { minItems: 1 }),
    must: `a list of whole numbers from ${min} to ${max}`,
    argument: "<list>",
    parse: (given) => toList(given).map(toNumber),
  };
}
