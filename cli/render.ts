/** `nadir render`: a scene with the objects of a result drawn into it. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { crsFromText, openScene } from "../datasets/node.ts";
import { readResult, resolveSettings, SettingsError } from "../pipeline/index.ts";
import { openPartialFile, renderPicture } from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { addSettings, settingsFromFlags } from "./flags.ts";
import { locate } from "./io.ts";
import { gatherSettings } from "./layers.ts";
import { counted } from "./say.ts";

interface RenderFlags {
  readonly out: string;
  readonly maxSidePx?: number;
}

export function declareRender(command: Command, { io }: CliContext): void {
  command
    .argument("<scene>", "File or address.")
    .argument("<result>", "GeoJSON of a run, or any polygons with a class.")
    .requiredOption("-o, --out <file>", "A .png or .jpg file, or - for a PNG on standard output.")
    .option("--max-side-px <number>", "Long side of the picture at most (2048).", toSide);
  addSettings(command, ["bands", "stretch", "nodata"]);
  command.action(async (scenePath: string, resultPath: string, flags: RenderFlags) => {
    const format = formatOf(flags.out);
    const { layers } = gatherSettings(io, settingsFromFlags(command), undefined);
    const { bands, stretch, nodata } = resolveSettings(layers).settings;
    const result = locate(io, resultPath);
    const text = await readFile(result, "utf8");
    await using scene = await openScene(locate(io, scenePath));
    const { objects } = readResult(text, result, { scene, crsFrom: crsFromText });
    const options = { format, maxSidePx: flags.maxSidePx, bands, stretch, nodata };
    const picture = await renderPicture(scene, objects, options);
    if (flags.out === "-") return io.stdout.write(picture);
    const file = await openPartialFile(locate(io, flags.out));
    await file.write(picture);
    await file.finish();
    io.stderr.write(`wrote      ${flags.out} with ${counted(objects.length, "object")}\n`);
  });
}

function formatOf(out: string): "png" | "jpeg" {
  const extension = out === "-" ? ".png" : extname(out).toLowerCase();
  if (extension === ".png") return "png";
  if (extension === ".jpg" || extension === ".jpeg") return "jpeg";
  throw new SettingsError(`render: --out must end with .png or .jpg, received ${out}`);
}

function toSide(text: string): number {
  const side = Number(text);
  if (Number.isInteger(side) && side >= 1 && side <= 32_767) return side;
  throw new InvalidArgumentError("It must be a whole number from 1 to 32767.");
}
