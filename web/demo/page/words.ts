/** Numbers as people read them. */

const grouped = new Intl.NumberFormat("en-GB");

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped.format(count)} ${count === 1 ? one : many}`;

export const whole = (value: number): string => grouped.format(Math.round(value));

/** `0.82`, for a score in 0…1. */
export const score = (value: number): string => value.toFixed(2);

/** `3.2 m`, `41 m`, `1.2 km`. */
export function metres(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} km`;
  return `${value < 10 ? value.toFixed(1) : whole(value)} m`;
}

/** `0.3 m`, `12 cm`: a pixel's side. */
export const resolution = (gsdM: number): string =>
  gsdM < 0.1 ? `${(gsdM * 100).toFixed(1)} cm` : `${Number(gsdM.toPrecision(3))} m`;

/** `8.2 s`, `410 ms`. */
export const duration = (ms: number): string =>
  ms < 1000 ? `${whole(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;

export const size = (bytes: number): string =>
  bytes < 1e6 ? `${whole(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
