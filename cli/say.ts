/** How the command line speaks: colours where they help, numbers a person can read. */
import { createColors } from "picocolors";
import type { Io, Terminal } from "./io.ts";

export type Colors = ReturnType<typeof createColors>;

/** Colours on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` wants them anywhere. */
export function colorsFor(terminal: Terminal, env: Io["env"]): Colors {
  const forbidden = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  const forced = (env["FORCE_COLOR"] ?? "") !== "" && env["FORCE_COLOR"] !== "0";
  return createColors(!forbidden && (forced || terminal.isTTY));
}

/** `30,000`, in every locale. */
export const grouped = (value: number): string => value.toLocaleString("en-US");

/** `1:37`, `2:04:09`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `812 ms`, `5.2 s`, `5:02`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : clock(ms);
}

/** `612 MB`, `1.4 GB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** step;
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

/** `1 tile`, `2 tiles`, `3 boxes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** `0.30 m/px`, `12.0 m/px`. */
export const resolution = (gsdM: number): string =>
  `${gsdM < 0.1 ? gsdM.toFixed(3) : gsdM < 10 ? gsdM.toFixed(2) : gsdM.toFixed(1)} m/px`;

/** Rows under each other, every column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
