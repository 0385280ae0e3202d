/** `nadir model`: what a model file is, and how Nadir reads it. */
import type { Command } from "commander";
import type { ModelCard } from "../models/index.ts";
import type { Detector } from "../pipeline/index.ts";
import type { CliContext } from "./command.ts";
import { addSettings, settingsFromFlags, settingsIn } from "./flags.ts";
import { gatherSettings } from "./layers.ts";
import { openModel } from "./open-model.ts";
import { bytes, counted, grouped, resolution, table } from "./say.ts";

export function declareModel(command: Command, { io }: CliContext): void {
  const inspect = command
    .command("inspect")
    .description("Says how the outputs are read and why, and what the file says of itself.")
    .argument("<model>", "An ONNX file.")
    .option("--json", "Prints the facts as JSON.");
  addSettings(inspect, settingsIn("model", "engine")).action(
    async (path: string, { json = false }: InspectFlags) => {
      const { layers } = gatherSettings(io, settingsFromFlags(inspect), undefined);
      await using model = await openModel(io, path, layers);
      const { detector, engine } = model;
      io.stdout.write(json ? inJson(path, detector) : `${inWords(path, detector, engine)}\n`);
    },
  );
}

interface InspectFlags {
  readonly json?: boolean;
}

function inJson(path: string, { card, summary, decision, notices }: Detector): string {
  const { name, reasons, oriented } = decision;
  const facts = { path, head: { name, reasons, oriented }, card, notices, file: summary };
  return `${JSON.stringify(facts, null, 2)}\n`;
}

function inWords(path: string, detector: Detector, engine: string): string {
  const { card, summary, decision, notices } = detector;
  const { inputs, outputs, producer, opset, parameterCount, metadata } = summary;
  const file = [
    bytes(summary.bytes),
    ...(opset === undefined ? [] : [`opset ${opset}`]),
    ...(producer === "" ? [] : [`by ${producer}`]),
    counted(parameterCount, "parameter"),
    `sha256 ${card.sha256.slice(0, 12)}…`,
  ];
  const rows: (readonly [string, string])[] = [
    ["file", file.join(" · ")],
    ["head", `${decision.name}${decision.oriented ? " (oriented)" : ""}`],
    ...decision.reasons.map((reason): [string, string] => ["  because", reason]),
    ...inputs.map(({ name, type, dims }): [string, string] => ["input", port(name, type, dims)]),
    ...outputs.map(({ name, type, dims }): [string, string] => ["output", port(name, type, dims)]),
    ["pixels", pixels(card)],
    ["classes", `${classList(card.classes)}${from(card, "classes")}`],
    ["resolution", groundRange(card)],
    ...(card.scoreAtLeast === undefined
      ? []
      : [["score", `at least ${card.scoreAtLeast}${from(card, "scoreAtLeast")}`] as const]),
    ...(card.licence === undefined ? [] : [["licence", card.licence] as const]),
    ...(Object.keys(metadata).length === 0
      ? []
      : [["metadata", Object.keys(metadata).join(", ")] as const]),
    ["engine", engine],
    ...notices.map((notice): [string, string] => ["note", notice]),
  ];
  return `${path}\n${table(rows.map(([name, value]) => [`  ${name}`, value]))}`;
}

function port(
  name: string,
  type: string,
  dims: readonly (number | undefined)[] | undefined,
): string {
  return `${name} ${type} [${dims?.map((size) => size ?? "any").join(" ") ?? "any rank"}]`;
}

function pixels(card: ModelCard): string {
  const { width, height, batch, order, fit, mean, std } = card.input;
  const size = width === undefined || height === undefined ? "any size" : `${width}×${height} px`;
  const scale = `(value − ${mean.join(" ")}) / ${std.map((s) => Number(s.toFixed(3))).join(" ")}`;
  return `${size} · ${batch === undefined ? "any batch" : `batch ${batch}`} · ${order} · ${fit} · ${scale}`;
}

function classList(classes: readonly string[]): string {
  const shown = classes.slice(0, 8).join(", ");
  return `${grouped(classes.length)}: ${shown}${classes.length > 8 ? ", …" : ""}`;
}

function groundRange(card: ModelCard): string {
  if (card.gsdM === undefined) return "not stated; give --gsd-m to have scenes resampled";
  const { from: finest, to: coarsest } = card.gsdM;
  const range =
    finest === coarsest ? resolution(finest) : `${resolution(finest)} to ${resolution(coarsest)}`;
  return `${range}${from(card, "gsdM")}`;
}

function from({ provenance }: ModelCard, fact: string): string {
  const source = provenance[fact];
  return source === undefined ? "" : ` (${source})`;
}
