/** Projection methods of GeoTIFF (ProjMethodGeoKey) as proj4 words, by code. */

/** Reads a GeoKey. */
type Read = (key: number) => number | undefined;

/** The words of a projection; lengths in the keys are in units of so many metres. */
export type Projection = (read: Read, metres: number) => string;

const PARAMETER = {
  parallel1: [3078],
  parallel2: [3079],
  longitude: [3080, 3084, 3088, 3095],
  latitude: [3081, 3085, 3089],
  easting: [3082, 3086, 3090],
  northing: [3083, 3087, 3091],
  scale: [3092, 3093],
  azimuth: [3094],
  /** Angle of the rectified grid; without it that of the line. */
  gridAngle: [3096, 3094],
} as const;

type Name = keyof typeof PARAMETER;

/** Writers differ in whether the origin is called natural, false or centre: the first one present counts. */
function first(read: Read, name: Name, otherwise: number): number {
  for (const key of PARAMETER[name]) {
    const value = read(key);
    if (value !== undefined) return value;
  }
  return otherwise;
}

const WORDS = {
  lat_0: ["latitude", 0],
  lat_1: ["parallel1", 0],
  lat_2: ["parallel2", 0],
  lat_ts: ["parallel1", 0],
  lon_0: ["longitude", 0],
  lonc: ["longitude", 0],
  alpha: ["azimuth", 0],
  gamma: ["gridAngle", 0],
  k_0: ["scale", 1],
} as const satisfies Record<string, readonly [Name, number]>;

type Word = keyof typeof WORDS;

function projection(name: string, words: readonly Word[], fixed = ""): Projection {
  return (read, metres) => {
    const parameters = words.map((word) => {
      const [parameter, otherwise] = WORDS[word];
      return `+${word}=${first(read, parameter, otherwise)}`;
    });
    const easting = `+x_0=${first(read, "easting", 0) * metres}`;
    const northing = `+y_0=${first(read, "northing", 0) * metres}`;
    return [`+proj=${name}${fixed}`, ...parameters, easting, northing].join(" ");
  };
}

/** Polar stereographic keeps its latitude of true scale where others keep that of the origin. */
const polarStereographic: Projection = (read, metres) => {
  const latitude = first(read, "latitude", 90);
  const pole = latitude < 0 ? -90 : 90;
  const standard = projection("stere", ["lon_0", "k_0"])(read, metres);
  return `${standard} +lat_0=${pole} +lat_ts=${latitude}`;
};

/** One standard parallel, where the scale is given: the parallel is the latitude of the origin. */
const lambert1: Projection = (read, metres) =>
  `${projection("lcc", ["lat_0", "lon_0", "k_0"])(read, metres)} +lat_1=${first(read, "latitude", 0)}`;

/** By scale at the equator, or by a latitude of true scale. */
const mercator: Projection = (read, metres) => {
  const word: Word = read(3078) === undefined ? "k_0" : "lat_ts";
  return projection("merc", ["lon_0", word])(read, metres);
};

export const PROJECTIONS: Readonly<Record<number, Projection>> = {
  1: projection("tmerc", ["lat_0", "lon_0", "k_0"]),
  3: projection("omerc", ["lat_0", "lonc", "alpha", "gamma", "k_0"], " +no_uoff"),
  7: mercator,
  8: projection("lcc", ["lat_0", "lon_0", "lat_1", "lat_2"]),
  9: lambert1,
  10: projection("laea", ["lat_0", "lon_0"]),
  11: projection("aea", ["lat_0", "lon_0", "lat_1", "lat_2"]),
  12: projection("aeqd", ["lat_0", "lon_0"]),
  14: projection("stere", ["lat_0", "lon_0", "k_0"]),
  15: polarStereographic,
  16: projection("sterea", ["lat_0", "lon_0", "k_0"]),
  17: projection("eqc", ["lat_0", "lon_0", "lat_ts"]),
  18: projection("cass", ["lat_0", "lon_0"]),
  19: projection("gnom", ["lat_0", "lon_0"]),
  20: projection("mill", ["lon_0"]),
  21: projection("ortho", ["lat_0", "lon_0"]),
  22: projection("poly", ["lat_0", "lon_0"]),
  23: projection("robin", ["lon_0"]),
  24: projection("sinu", ["lon_0"]),
  25: projection("vandg", ["lon_0"]),
  28: projection("cea", ["lon_0", "lat_ts"]),
  // What has no code in the standard: libgeotiff writes EPSG's.
  9815: projection("omerc", ["lat_0", "lonc", "alpha", "gamma", "k_0"]),
};
