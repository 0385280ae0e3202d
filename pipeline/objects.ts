/** One found object, in every plane that is known. */
export interface FoundObject {
  readonly class: string;
  readonly classIndex: number;
  /** In 0…1. */
  readonly score: number;
  readonly oriented: boolean;
  /** `x1 y1 … x4 y4` in pixels of the scene at full resolution, clockwise on the screen. */
  readonly corners: Float64Array;
  /** The same corners in the scene's CRS; undefined where the scene has no transform. */
  readonly map: Float64Array | undefined;
  /** The same corners as longitude and latitude, WGS84 degrees; undefined without a CRS. */
  readonly lonLat: Float64Array | undefined;
  /** Geodesic size of the box on the ground; undefined without a CRS. */
  readonly ground: Ground | undefined;
}

export interface Ground {
  readonly lengthM: number;
  readonly widthM: number;
  readonly areaM2: number;
  /** Direction of the long side, clockwise from true north, 0 ≤ bearing < 180. */
  readonly bearingDeg: number;
}
