/** The `stretch` setting: how samples become 0…255. */
import { SettingsError } from "./settings-error.ts";

export type Stretch =
  /** Eight-bit scenes unchanged, all others by percentiles 2–98. */
  | { readonly kind: "auto" }
  /** Samples are taken for 0…255 already, and cut off there. */
  | { readonly kind: "none" }
  /** The whole range of the sample type. */
  | { readonly kind: "dtype" }
  /** From the least to the greatest sample of the scene. */
  | { readonly kind: "minmax" }
  /** From one percentile to another, 0…100. */
  | { readonly kind: "percentile"; readonly low: number; readonly high: number }
  /** From one sample value to another. */
  | { readonly kind: "range"; readonly low: number; readonly high: number };

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const PERCENTILE = String.raw`\d+(?:\.\d+)?`;

export const STRETCH_PATTERN: RegExp = new RegExp(
  `^(?:auto|none|dtype|minmax|p(${PERCENTILE})-(${PERCENTILE})|(${NUMBER}),(${NUMBER}))$`,
);
export const STRETCH_FORMS = "auto, none, dtype, minmax, p2-98, or two values such as 0,3000";

/** What a `stretch` setting says. @throws {SettingsError} where it says nothing, or low is not below high. */
export function parseStretch(setting: string): Stretch {
  const parts = STRETCH_PATTERN.exec(setting);
  if (parts === null) {
    throw new SettingsError(`settings: stretch must be ${STRETCH_FORMS}, received "${setting}"`);
  }
  const [, p1, p2, v1, v2] = parts;
  if (p1 !== undefined) return ordered("percentile", Number(p1), Number(p2), setting, 100);
  if (v1 !== undefined) return ordered("range", Number(v1), Number(v2), setting, Infinity);
  return { kind: setting as "auto" | "none" | "dtype" | "minmax" };
}

function ordered(
  kind: "percentile" | "range",
  low: number,
  high: number,
  setting: string,
  most: number,
): Stretch {
  if (low >= high || high > most) {
    const limit = most === 100 ? " and at most 100" : "";
    throw new SettingsError(
      `settings: stretch must have its first number below its second${limit}, received "${setting}"`,
    );
  }
  return { kind, low, high };
}
