/** `nadir info`: what a scene is, where it lies, and what to know before detecting in it. */
import type { Command } from "commander";
import { apply, type Crs, type Scene } from "../datasets/index.ts";
import { openScene } from "../datasets/node.ts";
import { describe, groundResolution } from "../pipeline/index.ts";
import { type CliContext, endOfBatch } from "./command.ts";
import { findInputs } from "./inputs.ts";
import { grouped, resolution, table } from "./say.ts";

export function declareInfo(command: Command, { io, finish }: CliContext): void {
  command
    .argument("<scenes...>", "Files, folders, patterns or addresses.")
    .option("--json", "Prints one JSON object a scene, a line each.")
    .action(async (given: readonly string[], { json = false }: { readonly json?: boolean }) => {
      const { paths, notes } = await findInputs(io, given);
      for (const note of notes) io.stderr.write(`nadir: ${note}\n`);
      let failed = 0;
      for (const path of paths) {
        try {
          await using scene = await openScene(path);
          const facts = factsOf(scene);
          io.stdout.write(json ? `${JSON.stringify(facts)}\n` : `${inWords(facts)}\n`);
        } catch (error) {
          failed++;
          io.stderr.write(`nadir: ${describe(error).sentence}\n`);
        }
      }
      finish(endOfBatch(paths.length, failed));
    });
}

/** What `--json` prints. */
interface SceneInfo {
  readonly source: string;
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly sampleType: string;
  readonly bands: readonly string[];
  readonly nodata: number | undefined;
  readonly crs: string | undefined;
  readonly crsName: string | undefined;
  /** Metres per pixel along a row and down a column, at the centre. */
  readonly gsdM: { readonly x: number; readonly y: number } | undefined;
  /** Coefficients a to f of x = a·column + b·row + c, y = d·column + e·row + f. */
  readonly transform: readonly number[] | undefined;
  /** Longitude and latitude of the corners, clockwise from the first pixel. */
  readonly corners: readonly (readonly [lon: number, lat: number])[] | undefined;
  readonly gcps: number;
  readonly block: { readonly width: number; readonly height: number } | undefined;
  readonly overviews: readonly (readonly [width: number, height: number])[];
  readonly warnings: readonly string[];
}

function factsOf(scene: Scene): SceneInfo {
  const [full, ...overviews] = scene.levels;
  return {
    source: scene.source,
    format: scene.format,
    width: scene.width,
    height: scene.height,
    sampleType: scene.sampleType,
    bands: scene.bands.map(({ role, name }) => name ?? role),
    nodata: scene.nodata,
    crs: scene.crs?.epsg === undefined ? scene.crs?.definition : codeOf(scene.crs),
    crsName: scene.crs?.name,
    gsdM: groundResolution(scene),
    transform: scene.transform,
    corners: cornersOf(scene),
    gcps: scene.gcps.length,
    block: full === undefined ? undefined : { width: full.blockWidth, height: full.blockHeight },
    overviews: overviews.map(({ width, height }) => [width, height]),
    warnings: scene.warnings,
  };
}

const codeOf = ({ epsg, name }: Crs): string => (epsg === undefined ? name : `EPSG:${epsg}`);

function cornersOf({ transform, crs, width, height }: Scene): SceneInfo["corners"] {
  if (transform === undefined || crs === undefined) return undefined;
  const corners = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ] as const;
  return corners.map(([column, row]) => crs.toLonLat(...apply(transform, column, row)));
}

function inWords(info: SceneInfo): string {
  const { gsdM, crs, crsName, corners, block } = info;
  const size = (width: number, height: number): string => `${grouped(width)}×${grouped(height)}`;
  const rows: (readonly [string, string] | undefined)[] = [
    ["size", `${size(info.width, info.height)} px`],
    ["samples", `${info.sampleType} × ${info.bands.length} (${info.bands.join(", ")})`],
    ["nodata", info.nodata === undefined ? "none declared" : String(info.nodata)],
    ["CRS", crs === undefined ? "none: results are in pixels" : namedCrs(crs, crsName)],
    gsdM === undefined ? undefined : ["resolution", bothWays(gsdM)],
    corners === undefined ? undefined : ["corners", corners.map(degrees).join("  ")],
    info.gcps > 0 ? ["control", `${info.gcps} ground control points`] : undefined,
    block === undefined ? undefined : ["blocks", size(block.width, block.height)],
    ["overviews", info.overviews.map(([w, h]) => size(w, h)).join(" ") || "none"],
    ...info.warnings.map((warning): [string, string] => ["note", warning]),
  ];
  const known = rows.filter((row) => row !== undefined);
  return `${info.source} (${info.format})\n${table(known.map(([name, value]) => [`  ${name}`, value]))}`;
}

const namedCrs = (crs: string, name: string | undefined): string =>
  name === undefined || name === crs ? crs : `${crs} ${name}`;

const bothWays = ({ x, y }: { readonly x: number; readonly y: number }): string =>
  resolution(x) === resolution(y)
    ? resolution(x)
    : `${resolution(x)} across, ${resolution(y)} down`;

const degrees = ([lon, lat]: readonly [number, number]): string =>
  `${lon.toFixed(6)},${lat.toFixed(6)}`;
