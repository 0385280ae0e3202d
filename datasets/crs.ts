/** Coordinate reference systems: to WGS84 longitude and latitude, and the size of their unit. */
export interface Crs {
  /** `EPSG:32633`, or undefined for one that the file itself defines. */
  readonly epsg: number | undefined;
  readonly name: string;
  readonly kind: "geographic" | "projected";
  /** Metres in one unit of a projected CRS; undefined for degrees. */
  readonly metresPerUnit: number | undefined;
  /** The definition given to proj4. */
  readonly definition: string;
  /** Longitude and latitude in degrees, WGS84. */
  readonly toLonLat: (x: number, y: number) => readonly [lon: number, lat: number];
  readonly fromLonLat: (lon: number, lat: number) => readonly [x: number, y: number];
}
