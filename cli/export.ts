/** `nadir export`: a shipped or trained model as an ONNX file that any runtime loads. */
import { readFile, rename, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { buildShipped, readShippedCard, readWeights } from "../models/index.ts";
import { openShipped, type Shipped } from "../pipeline/node.ts";
import { SettingsError } from "../pipeline/index.ts";
import type { CliContext } from "./command.ts";
import { type Io, locate } from "./io.ts";
import { bytes } from "./say.ts";

interface ExportFlags {
  readonly out?: string;
  readonly tilePx?: string;
  readonly batch: string;
}

export function declareExport(command: Command, { io }: CliContext): void {
  command
    .argument("<model>", "A shipped model's name, or the .json card of a trained one.")
    .option("-o, --out <file>", "The ONNX file.")
    .option("--tile-px <pixels>", "Side of the input, a multiple of 32.")
    .option("--batch <tiles>", "Tiles in one run.", "1")
    .action(async (name: string, flags: ExportFlags) => {
      const { card, weights } = name.endsWith(".json")
        ? await openTrained(locate(io, name))
        : await openShipped(name);
      const side = whole("tile-px", flags.tilePx ?? `${card.tilePx}`, 32);
      const batch = whole("batch", flags.batch, 1);
      const onnx = buildShipped(card, weights, { batch, widthPx: side, heightPx: side });
      const path = locate(io, flags.out ?? `${card.name}.onnx`);
      await writeBeside(path, onnx);
      say(io, `wrote ${path}: ${bytes(onnx.length)}, input [${batch} 3 ${side} ${side}]`);
    });
}

/** A card and the `.safetensors` beside it. */
async function openTrained(path: string): Promise<Shipped> {
  const card = readShippedCard(await readFile(path, "utf8"));
  return { card, weights: readWeights(await readFile(path.replace(/\.json$/, ".safetensors"))) };
}

async function writeBeside(path: string, content: Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}

const say = (io: Io, line: string): void => io.stderr.write(`${line}\n`);

function whole(name: string, text: string, multiple: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value % multiple === 0) return value;
  const must = multiple === 1 ? "a whole number from 1" : `a multiple of ${multiple}`;
  throw new SettingsError(`export: --${name} must be ${must}, received ${text}`);
}
