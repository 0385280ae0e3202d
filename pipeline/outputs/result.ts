/** Results read again: the GeoJSON of a run as found objects, for pictures and other formats. */
import type { Affine, Crs, Detections, ImagePlace, LabelledObject } from "../../datasets/index.ts";
import { LabelsError, cornersOf, crsFromText, parseGeojson } from "../../datasets/index.ts";
import { locate } from "../georeference.ts";
import type { FoundObject } from "../objects.ts";
import type { SceneFacts } from "./output.ts";

export interface Result {
  /** The scene as the file describes it, or as the caller does. */
  readonly scene: SceneFacts;
  readonly classes: readonly string[];
  readonly objects: readonly FoundObject[];
}

export interface ReadResultOptions {
  /** The scene, for a file that does not say how its pixels lie on the Earth. */
  readonly scene?: SceneFacts | undefined;
  /** How a code becomes a CRS. @default the built-in table */
  readonly crsFrom?: (text: string) => Crs;
}

/**
 * Reads a GeoJSON result of ours, or any polygons with a `class` where the scene is given.
 *
 * @param source - the file, for messages
 * @throws {LabelsError} naming the feature that is amiss, or where the scene is not known
 */
export function readResult(
  text: string,
  source: string,
  { scene, crsFrom = crsFromText }: ReadResultOptions = {},
): Result {
  const image: ImagePlace | undefined = scene && { ...scene, file: scene.source };
  const { classes, images } = parseGeojson(text, source, { image, crsFrom });
  const [first] = images;
  if (images.length > 1) {
    throw new LabelsError(`${source}: a result must be of one scene, received ${images.length}`);
  }
  const facts = scene ?? describedScene(text, crsFrom, first);
  const found = (first?.objects ?? []).flatMap((object) => [
    ...locate(oneDetection(object), facts, classes),
  ]);
  return { scene: facts, classes, objects: found };
}

/** What the member `nadir` says; `parseGeojson` has checked it. */
function describedScene(
  text: string,
  crsFrom: (text: string) => Crs,
  image: { readonly file: string; readonly width: number; readonly height: number } | undefined,
): SceneFacts {
  const { nadir = {} } = JSON.parse(text) as {
    readonly nadir?: { readonly transform?: Affine; readonly crs?: string };
  };
  return {
    source: image?.file ?? "",
    width: image?.width ?? 0,
    height: image?.height ?? 0,
    transform: nadir.transform,
    crs: nadir.crs === undefined ? undefined : crsFrom(nadir.crs),
  };
}

/** A label without a score was put there by a person: it is certain. */
function oneDetection(object: LabelledObject): Detections<"scene"> {
  const oriented = object.corners !== undefined;
  return {
    count: 1,
    boxes: oriented
      ? { kind: "oriented", frame: "scene", corners: Float64Array.from(cornersOf(object)) }
      : { kind: "axis-aligned", frame: "scene", xyxy: Float64Array.from(object.box) },
    scores: Float32Array.of(object.score ?? 1),
    classes: Uint16Array.of(object.classIndex),
  };
}
