/**
 * EPSG codes that are known without a table: what a browser has.
 *
 * UTM on the datums that imagery comes in, Web and World Mercator, polar stereographic, and the geographic systems
 * under them. Node has all 8,112 of `epsg-index` (`epsg-node.ts`).
 */

export interface EpsgEntry {
  readonly name: string;
  readonly proj4: string;
}

/** The definition of a code; undefined for one that is not known. */
export type EpsgLookup = (code: number) => EpsgEntry | undefined;

const GRS80 = "+ellps=GRS80 +towgs84=0,0,0,0,0,0,0";
const WGS84 = "+datum=WGS84";

const SINGLE: Readonly<Record<number, EpsgEntry>> = {
  4326: { name: "WGS 84", proj4: `+proj=longlat ${WGS84} +no_defs` },
  4269: { name: "NAD83", proj4: `+proj=longlat ${GRS80} +no_defs` },
  4258: { name: "ETRS89", proj4: `+proj=longlat ${GRS80} +no_defs` },
  4674: { name: "SIRGAS 2000", proj4: `+proj=longlat ${GRS80} +no_defs` },
  4283: { name: "GDA94", proj4: `+proj=longlat ${GRS80} +no_defs` },
  7844: { name: "GDA2020", proj4: `+proj=longlat ${GRS80} +no_defs` },
  3857: {
    name: "WGS 84 / Pseudo-Mercator",
    proj4:
      "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs",
  },
  3395: {
    name: "WGS 84 / World Mercator",
    proj4: `+proj=merc +lon_0=0 +k=1 +x_0=0 +y_0=0 ${WGS84} +units=m +no_defs`,
  },
  3035: {
    name: "ETRS89-extended / LAEA Europe",
    proj4: `+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 ${GRS80} +units=m +no_defs`,
  },
  3031: {
    name: "WGS 84 / Antarctic Polar Stereographic",
    proj4: `+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +x_0=0 +y_0=0 ${WGS84} +units=m +no_defs`,
  },
  3413: {
    name: "WGS 84 / NSIDC Sea Ice Polar Stereographic North",
    proj4: `+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 ${WGS84} +units=m +no_defs`,
  },
  5070: {
    name: "NAD83 / Conus Albers",
    proj4: `+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +x_0=0 +y_0=0 ${GRS80} +units=m +no_defs`,
  },
  2154: {
    name: "RGF93 v1 / Lambert-93",
    proj4: `+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 ${GRS80} +units=m +no_defs`,
  },
};

interface ZoneFamily {
  /** Codes are `base + zone`. */
  readonly base: number;
  readonly zones: readonly [first: number, last: number];
  readonly hemisphere: "N" | "S";
  readonly name: string;
  readonly words: string;
}

const UTM: readonly ZoneFamily[] = [
  { base: 32600, zones: [1, 60], hemisphere: "N", name: "WGS 84 / UTM", words: WGS84 },
  { base: 32700, zones: [1, 60], hemisphere: "S", name: "WGS 84 / UTM", words: WGS84 },
  { base: 26900, zones: [1, 23], hemisphere: "N", name: "NAD83 / UTM", words: GRS80 },
  { base: 25800, zones: [28, 38], hemisphere: "N", name: "ETRS89 / UTM", words: GRS80 },
  { base: 31954, zones: [11, 22], hemisphere: "N", name: "SIRGAS 2000 / UTM", words: GRS80 },
  { base: 31960, zones: [17, 25], hemisphere: "S", name: "SIRGAS 2000 / UTM", words: GRS80 },
  { base: 28300, zones: [48, 58], hemisphere: "S", name: "GDA94 / MGA", words: GRS80 },
  { base: 7800, zones: [46, 59], hemisphere: "S", name: "GDA2020 / MGA", words: GRS80 },
];

/** UTM zones and the commonest single codes. */
export const commonEpsg: EpsgLookup = (code) => {
  const single = SINGLE[code];
  if (single !== undefined) return single;
  for (const { base, zones, hemisphere, name, words } of UTM) {
    const zone = code - base;
    if (zone < zones[0] || zone > zones[1]) continue;
    const south = hemisphere === "S" ? " +south" : "";
    return {
      name: `${name} zone ${zone}${name.endsWith("MGA") ? "" : hemisphere}`,
      proj4: `+proj=utm +zone=${zone}${south} ${words} +units=m +no_defs`,
    };
  }
  return undefined;
};
