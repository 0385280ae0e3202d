/** `nadir convert`: labels from format to format, and results into other outputs. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { LABEL_FORMATS, type LabelFormat, type Scene } from "../datasets/index.ts";
import { openScene } from "../datasets/node.ts";
import { FORMAT_NAMES, formatAlias, type FormatName, resolveSettings } from "../pipeline/index.ts";
import { type ConvertOptions, convertLabels } from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { addSettings, settingsFromFlags } from "./flags.ts";
import { type Io, locate } from "./io.ts";
import { gatherSettings } from "./layers.ts";
import { counted } from "./say.ts";

interface ConvertFlags {
  readonly from: LabelFormat;
  readonly to: LabelFormat | FormatName;
  readonly out: string;
  readonly images?: string;
  readonly scene?: string;
}

/** Every format something can become. */
const TARGETS = [...new Set([...LABEL_FORMATS, ...FORMAT_NAMES])];

export function declareConvert(command: Command, { io }: CliContext): void {
  command
    .argument("<labels>", "A file, or the folder of formats that are folders.")
    .addOption(option("--from <format>", "What the labels are in.").choices(LABEL_FORMATS))
    .addOption(
      option("--to <format>", `What they become: ${TARGETS.join(", ")}.`).argParser(target),
    )
    .requiredOption("-o, --out <place>", "The file or folder to write.")
    .option("--images <folder>", "Where the images lie, for formats that do not hold their sizes.")
    .option("--scene <file>", "The scene of a result, for pictures and for GeoJSON of others.");
  addSettings(command, ["classes", "crs"]);
  command.action(async (path: string, flags: ConvertFlags) => {
    const { layers } = gatherSettings(io, settingsFromFlags(command), undefined);
    const { classes, crs } = resolveSettings(layers).settings;
    const images = flags.images === undefined ? undefined : locate(io, flags.images);
    const done = await withScene(io, flags.scene, (scene) => {
      const options: ConvertOptions = { classes, crs, images, scene };
      return convertLabels(flags.from, locate(io, path), flags.to, locate(io, flags.out), options);
    });
    io.stderr.write(
      `wrote      ${flags.out} with ${counted(done.objects, "object")} of ${counted(done.images, "image")}\n`,
    );
  });
}

const option = (flags: string, text: string): Option =>
  new Option(flags, text).makeOptionMandatory();

/** The format by any of its names. */
function target(text: string): string {
  const name = formatAlias(text);
  if ((TARGETS as readonly string[]).includes(name)) return name;
  throw new InvalidArgumentError(`Allowed choices are ${TARGETS.join(", ")}.`);
}

async function withScene<T>(
  io: Pick<Io, "cwd">,
  path: string | undefined,
  work: (scene: Scene | undefined) => Promise<T>,
): Promise<T> {
  if (path === undefined) return work(undefined);
  await using scene = await openScene(locate(io, path));
  return await work(scene);
}
