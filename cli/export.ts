/** `nadir export`: a shipped or trained model as an ONNX file that any runtime loads. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { writeWhole } from "../datasets/node.ts";
import { buildShipped, readShippedCard, readWeights } from "../models/index.ts";
import { openShipped, type Shipped } from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { type Io, locate } from "./io.ts";
import { wholeFlag } from "./whole-flag.ts";
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
      const side = wholeFlag("export", "tile-px", flags.tilePx ?? `${card.tilePx}`, 32);
      const batch = wholeFlag("export", "batch", flags.batch, 1);
      const onnx = buildShipped(card, weights, { batch, widthPx: side, heightPx: side });
      const path = locate(io, flags.out ?? `${card.name}.onnx`);
      await writeWhole(path, onnx);
      say(io, `wrote ${path}: ${bytes(onnx.length)}, input [${batch} 3 ${side} ${side}]`);
    });
}

/** A card and the `.safetensors` beside it. */
async function openTrained(path: string): Promise<Shipped> {
  const card = readShippedCard(await readFile(path, "utf8"));
  return { card, weights: readWeights(await readFile(path.replace(/\.json$/, ".safetensors"))) };
}

const say = (io: Io, line: string): void => io.stderr.write(`${line}\n`);
