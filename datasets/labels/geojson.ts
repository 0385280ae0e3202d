/**
 * GeoJSON as labels: polygons with a `class`, in pixels or on the map.
 *
 * Files of ours say in the member `nadir` which image they speak of and how its pixels lie on the Earth, so detections
 * in longitude and latitude find their pixels again without the raster. Of foreign files the caller must know it; they
 * are in longitude and latitude (RFC 7946), or in the CRS that their `crs` names (`geojson-crs.ts`).
 */
import type { Affine } from "../affine.ts";
import { apply, invert } from "../affine.ts";
import type { Crs } from "../crs.ts";
import { crsFromText } from "../crs.ts";
import { clockwiseRing } from "../ring.ts";
import { foreignPlane } from "./geojson-crs.ts";
import type { JsonObject } from "./json.ts";
import {
  asArray,
  asNumber,
  asNumbers,
  asObject,
  asText,
  isObject,
  optional,
  parseJson,
} from "./json.ts";
import type { ClassTable, LabelledDataset, LabelledImage, LabelledObject } from "./labels.ts";
import { LabelsError, boundsOf, classTable, cornersOf } from "./labels.ts";

/** Where an image lies: what a `Scene` knows. */
export interface ImagePlace {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly transform: Affine | undefined;
  readonly crs: Crs | undefined;
}

export interface GeojsonOptions {
  /** The image, for a file that does not say it itself; goes before what the file says. */
  readonly image?: ImagePlace | undefined;
  /** Only these classes, in this order. @default all, as they come */
  readonly classes?: readonly string[] | undefined;
  /** How a code becomes a CRS. @default the built-in table */
  readonly crsFrom?: (text: string) => Crs;
}

/**
 * Reads labels of many images (ours, in pixels) or of one.
 *
 * @param source - the file, for messages
 * @throws {LabelsError} naming the feature that is amiss, or where the image is not known
 */
export function parseGeojson(
  text: string,
  source: string,
  { image, classes, crsFrom = crsFromText }: GeojsonOptions = {},
): LabelledDataset {
  const root = asObject(parseJson(text, source), source);
  const ours = isObject(root["nadir"]) ? root["nadir"] : {};
  const listed = optional(ours["classes"], asArray, `${source}: nadir.classes`)?.map(String);
  const table = classTable(classes);
  if (classes === undefined) for (const name of listed ?? []) table.indexOf(name, source);
  const toPixel = pixelsOf(root, ours, image, crsFrom, source);
  const images = imagesOf(ours, image, source);
  asArray(root["features"], `${source}: features`).forEach((value, i) => {
    const where = `${source}: features[${i}]`;
    const feature = asObject(value, where);
    const properties = isObject(feature["properties"]) ? feature["properties"] : {};
    const file = typeof properties["image"] === "string" ? properties["image"] : undefined;
    imageOf(file, images, where).objects.push(
      readFeature(feature, properties, table, toPixel, where),
    );
  });
  return { classes: table.names, images: [...images.values()] };
}

type ToPixel = (x: number, y: number) => readonly [number, number];

function pixelsOf(
  root: JsonObject,
  ours: JsonObject,
  image: ImagePlace | undefined,
  crsFrom: (text: string) => Crs,
  source: string,
): ToPixel {
  const written = optional(ours["transform"], asAffine, `${source}: nadir.transform`);
  if (ours["coordinates"] === "pixel") return (x, y) => [x, y];
  const transform = image?.transform ?? written;
  const definition = optional(ours["crs"], asText, `${source}: nadir.crs`);
  const crs = image?.crs ?? (definition === undefined ? undefined : crsFrom(definition));
  // Ours say the plane by its name; others by its CRS, which is longitude and latitude where none is named.
  const isSource = ours["coordinates"] === "source";
  const plane = isSource ? undefined : foreignPlane(root["crs"], crs, crsFrom, `${source}: crs`);
  if (transform === undefined || (plane !== undefined && crs === undefined)) {
    throw new LabelsError(
      `${source}: coordinates on the map need the scene they were found in, received no scene`,
    );
  }
  const back = invert(transform);
  if (plane === undefined || crs === undefined) return (x, y) => apply(back, x, y);
  return (x, y) => apply(back, ...crs.fromLonLat(...plane.toLonLat(x, y)));
}

interface OpenImage extends LabelledImage {
  readonly objects: LabelledObject[];
}

function imagesOf(
  ours: JsonObject,
  image: ImagePlace | undefined,
  source: string,
): ReadonlyMap<string, OpenImage> {
  const only = image ?? (ours["source"] === undefined ? undefined : ours);
  const listed = optional(ours["images"], asArray, `${source}: nadir.images`);
  const facts = listed ?? (only === undefined ? [] : [only]);
  const images = facts.map((value, i): OpenImage => {
    const where = `${source}: nadir.images[${i}]`;
    const { file, source: name, width, height, gsd_m, labelled } = asObject(value, where);
    return {
      file: asText(file ?? name, `${where}.file`),
      id: undefined,
      width: asNumber(width, `${where}.width`),
      height: asNumber(height, `${where}.height`),
      gsdM: optional(gsd_m, asNumber, `${where}.gsd_m`),
      labelledClasses: optional(labelled, asNumbers, `${where}.labelled`),
      objects: [],
    };
  });
  if (images.length > 0) return new Map(images.map((each) => [each.file, each]));
  throw new LabelsError(`${source}: the image must be known, received none with the file`);
}

/** The image that a feature names; the only one for a feature that names none. */
function imageOf(
  file: string | undefined,
  images: ReadonlyMap<string, OpenImage>,
  where: string,
): OpenImage {
  const [only] = images.values();
  const own = file === undefined && images.size === 1 ? only : images.get(file ?? "");
  if (own !== undefined) return own;
  const wanted = file === undefined ? `named, of ${images.size} in the set` : "one of the set";
  throw new LabelsError(`${where}: the image must be ${wanted}, received ${file ?? "none"}`);
}

function asAffine(value: unknown, where: string): Affine {
  const numbers = asNumbers(value, where);
  if (numbers.length === 6) return numbers as unknown as Affine; // just counted
  throw new LabelsError(`${where}: must be six numbers, received ${numbers.length}`);
}

function readFeature(
  feature: JsonObject,
  properties: JsonObject,
  classes: ClassTable,
  toPixel: ToPixel,
  where: string,
): LabelledObject {
  const geometry = asObject(feature["geometry"], `${where}.geometry`);
  const rings = outerRings(geometry, where).map((ring) => openRing(ring, toPixel, where));
  const [first = []] = rings;
  const isQuad = rings.length === 1 && first.length === 8;
  const kind = properties["kind"] ?? (isQuad && !isUprightBox(first) ? "oriented" : "box");
  return {
    classIndex: classes.indexOf(className(properties, where), where),
    box: boundsOf(rings.flat()),
    corners: isQuad && kind === "oriented" ? clockwiseRing(first) : undefined,
    polygon: kind === "outline" || !isQuad ? rings : undefined,
    difficult: properties["difficult"] === true,
    crowd: properties["crowd"] === true,
    score: optional(properties["score"], asNumber, `${where}.properties.score`),
  };
}

function className(properties: JsonObject, where: string): string {
  const name = properties["class"] ?? properties["label"] ?? properties["name"];
  return asText(name, `${where}.properties.class`);
}

function outerRings(geometry: JsonObject, where: string): readonly unknown[] {
  const coordinates = asArray(geometry["coordinates"], `${where}.geometry.coordinates`);
  if (geometry["type"] === "Polygon") return coordinates.slice(0, 1);
  if (geometry["type"] === "MultiPolygon") {
    return coordinates.map((polygon) => asArray(polygon, `${where}.geometry`)[0]);
  }
  throw new LabelsError(
    `${where}: the geometry must be a polygon, received ${String(geometry["type"])}`,
  );
}

function openRing(value: unknown, toPixel: ToPixel, where: string): readonly number[] {
  const points = asArray(value, `${where}.geometry.coordinates`).map((point) =>
    asNumbers(point, `${where}.geometry.coordinates`),
  );
  const isClosed = points.length > 3 && String(points[0]) === String(points.at(-1));
  return (isClosed ? points.slice(0, -1) : points).flatMap(([x = 0, y = 0]) => toPixel(x, y));
}

/** Corners that came over the map are upright to a hundredth of a pixel. */
const UPRIGHT_PX = 0.01;

function isUprightBox(corners: readonly number[]): boolean {
  const [x1, y1, x2, y2] = boundsOf(corners);
  return corners.every((value, i) => {
    const [low, high] = i % 2 === 0 ? [x1, x2] : [y1, y2];
    return Math.min(Math.abs(value - low), Math.abs(value - high)) <= UPRIGHT_PX;
  });
}

/** The set as one feature collection in pixels. */
export function formatGeojson({ classes, images }: LabelledDataset): string {
  const nadir = {
    coordinates: "pixel",
    classes,
    images: images.map(({ file, width, height, gsdM, labelledClasses }) => ({
      file,
      width,
      height,
      ...(gsdM !== undefined && { gsd_m: gsdM }),
      ...(labelledClasses && { labelled: labelledClasses }),
    })),
  };
  const features = images.flatMap(({ file, objects }) =>
    objects.map((object) => JSON.stringify(featureOf(object, file, classes))),
  );
  const head = JSON.stringify({ type: "FeatureCollection", nadir }).slice(0, -1);
  return `${head},"features":[\n${features.join(",\n")}\n]}\n`;
}

function featureOf(object: LabelledObject, file: string, classes: readonly string[]): object {
  const rings = (object.polygon ?? [cornersOf(object)]).map(closed);
  return {
    type: "Feature",
    geometry:
      rings.length === 1
        ? { type: "Polygon", coordinates: rings }
        : { type: "MultiPolygon", coordinates: rings.map((ring) => [ring]) },
    properties: {
      image: file,
      class: classes[object.classIndex],
      kind: object.polygon ? "outline" : object.corners ? "oriented" : "box",
      ...(object.difficult && { difficult: true }),
      ...(object.crowd && { crowd: true }),
      ...(object.score !== undefined && { score: object.score }),
    },
  };
}

function closed(ring: readonly number[]): readonly (readonly number[])[] {
  const points = Array.from({ length: ring.length / 2 }, (_, i) => [
    ring[2 * i] ?? 0,
    ring[2 * i + 1] ?? 0,
  ]);
  return [...points, points[0] ?? []];
}
