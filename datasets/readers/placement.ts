/** What is said of a scene that does not fully know where it lies. */
import type { Affine } from "../affine.ts";
import { type Crs, datumWarning } from "../crs.ts";
import type { GroundControlPoint } from "../scene.ts";

interface Placed {
  readonly transform: Affine | undefined;
  readonly crs: Crs | undefined;
}

export function placementWarnings(
  gcps: readonly GroundControlPoint[],
  { transform, crs }: Placed,
): readonly string[] {
  if (transform === undefined && gcps.length > 0) {
    return [`georeferenced by ${gcps.length} control points only: results are in pixels`];
  }
  if (transform === undefined) return ["not georeferenced: results are in pixels"];
  if (crs === undefined) return ["no CRS: map coordinates are of an unknown system"];
  const datum = datumWarning(crs);
  return datum === undefined ? [] : [datum];
}
