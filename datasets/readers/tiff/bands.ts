/** What the bands of a TIFF show: photometric interpretation, extra samples, GDAL's metadata, colour map. */
import type { Band, ColourRole } from "../../scene.ts";
import type { Directory } from "./directory.ts";
import type { Layout } from "./layout.ts";
import { PHOTOMETRIC, TAG } from "./tags.ts";

/** Facts that GDAL wrote, by band. */
export type Descriptions = ReadonlyMap<number, { name?: string; role?: ColourRole }>;

const COLOURS: readonly ColourRole[] = ["red", "green", "blue"];
const ASSOCIATED_ALPHA = 1;
const UNASSOCIATED_ALPHA = 2;

/** Roles by GDAL's names for them. */
const GDAL_ROLES: Readonly<Record<string, ColourRole>> = {
  gray: "grey",
  grey: "grey",
  red: "red",
  green: "green",
  blue: "blue",
  alpha: "alpha",
  palette: "palette",
  undefined: "undefined",
};

export function bandsOf(layout: Layout, descriptions: Descriptions): readonly Band[] {
  const roles = coloursOf(layout);
  return Array.from({ length: layout.samples }, (_, index) => {
    const { name, role = roles[index] ?? extraRole(layout, index) } = descriptions.get(index) ?? {};
    return { role, name };
  });
}

function coloursOf({ photometric, samples }: Layout): readonly ColourRole[] {
  switch (photometric) {
    case PHOTOMETRIC.rgb:
    case PHOTOMETRIC.yCbCr:
      return samples >= 3 ? COLOURS : ["grey"];
    case PHOTOMETRIC.palette:
      return ["palette"];
    case PHOTOMETRIC.minIsBlack:
    case PHOTOMETRIC.minIsWhite:
      return ["grey"];
    default:
      return [];
  }
}

/** Extra samples are counted from the end of the pixel. */
function extraRole({ samples, extraSamples }: Layout, index: number): ColourRole {
  const meaning = extraSamples[index - (samples - extraSamples.length)];
  return meaning === ASSOCIATED_ALPHA || meaning === UNASSOCIATED_ALPHA ? "alpha" : "undefined";
}

/** Band names and colour roles in GDAL's metadata, which is a flat list of XML items. */
export async function readDescriptions(directory: Directory): Promise<Descriptions> {
  const found = new Map<number, { name?: string; role?: ColourRole }>();
  const xml = (await directory.text(TAG.gdalMetadata)) ?? "";
  for (const [, attributes = "", value = ""] of xml.matchAll(/<Item ([^>]*)>([^<]*)<\/Item>/g)) {
    const sample = /sample="(\d+)"/.exec(attributes)?.[1];
    const kind = /role="(\w+)"/.exec(attributes)?.[1];
    if (sample === undefined) continue;
    const known = found.get(Number(sample)) ?? {};
    if (kind === "description") found.set(Number(sample), { ...known, name: unescape(value) });
    const role = kind === "colorinterp" ? GDAL_ROLES[value.trim().toLowerCase()] : undefined;
    if (role !== undefined) found.set(Number(sample), { ...known, role });
  }
  return found;
}

function unescape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    amp: "&",
  };
  return text.replace(/&(\w+);/g, (whole, entity: string) => entities[entity] ?? whole);
}

/** RGB triples, 256 or 65,536 of them, of a palette image. */
export async function paletteOf(
  { photometric, bits }: Layout,
  directory: Directory,
): Promise<Uint8Array | undefined> {
  const map = await directory.numbers(TAG.colorMap);
  if (photometric !== PHOTOMETRIC.palette || map === undefined) return undefined;
  const entries = map.length / 3;
  const palette = new Uint8Array((bits > 8 ? 65536 : 256) * 3);
  // Colours have 16 bits; some writers store 8.
  const shift = map.some((value) => value > 255) ? 8 : 0;
  for (let i = 0; i < entries * 3; i += 1) {
    palette[(i % entries) * 3 + Math.floor(i / entries)] = (map[i] ?? 0) >> shift;
  }
  return palette;
}
