/**
 * COCO detection JSON (cocodataset.org/#format-data), labels and results.
 *
 * Beyond the standard: `corners` of an oriented box (its `segmentation` holds them too, for others), `difficult`,
 * `score`; `gsd_m` and `labelled_categories`, for sets that label only some classes, of an image, or in `info` of all.
 * Run-length masks are not read; the box of such an object is, and its `area`.
 */
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
import type { LabelledDataset, LabelledImage, LabelledObject } from "./labels.ts";
import { LabelsError, boundsOf, shapeArea } from "./labels.ts";

/** @param source - the file, for messages. @throws {LabelsError} naming the record that is amiss */
export function parseCoco(text: string, source: string): LabelledDataset {
  const root = asObject(parseJson(text, source), source);
  const categories = readCategories(root["categories"], `${source}: categories`);
  const classOf = new Map(categories.map(({ id }, i) => [id, i]));
  const shared = readShared(root["info"], classOf, `${source}: info`);
  const objects = new Map<number, LabelledObject[]>();
  const listed = asArray(root["images"], `${source}: images`).map((value, i) =>
    readImage(value, classOf, shared, `${source}: images[${i}]`),
  );
  const twice = new Set(repeated(listed.map(({ id }) => id)));
  const images = listed.map((image) => {
    const own: LabelledObject[] = [];
    if (image.id !== undefined) objects.set(image.id, own);
    if (!twice.has(image.id)) return { ...image, objects: own };
    // Nobody can say whose the annotations are.
    const fault = `${source}: image ${image.file}: must have an id of its own, received ${image.id}, which another has too`;
    return { ...image, fault };
  });
  asArray(root["annotations"] ?? [], `${source}: annotations`).forEach((value, i) => {
    const where = `${source}: annotations[${i}]`;
    const annotation = asObject(value, where);
    imageOf(annotation, objects, where).push(readObject(annotation, classOf, where));
  });
  const ids = categories.map(({ id }) => id);
  return {
    classes: categories.map(({ name }) => name),
    ...(ids.some((id, i) => id !== i + 1) && { classIds: ids }),
    images,
  };
}

/**
 * COCO results, a list of `{ image_id, category_id, bbox, score }`, as objects of the images of `truth`.
 *
 * @throws {LabelsError} for an image or a category that `truth` does not know
 */
export function parseCocoResults(
  text: string,
  source: string,
  truth: LabelledDataset,
): LabelledDataset {
  const classOf = new Map(truth.classes.map((_, i) => [categoryId(truth, i), i]));
  const objects = new Map(
    truth.images.map(({ id }, i): [number, LabelledObject[]] => [id ?? i + 1, []]),
  );
  asArray(parseJson(text, source), source).forEach((value, i) => {
    const where = `${source}: [${i}]`;
    const result = asObject(value, where);
    imageOf(result, objects, where).push(readObject(result, classOf, where));
  });
  const images = truth.images.map((image, i) => ({
    ...image,
    objects: objects.get(image.id ?? i + 1) ?? [],
  }));
  return { ...truth, images };
}

function readCategories(value: unknown, where: string) {
  const categories = asArray(value, where).map((each, i) => {
    const category = asObject(each, `${where}[${i}]`);
    return {
      id: asNumber(category["id"], `${where}[${i}].id`),
      name: asText(category["name"], `${where}[${i}].name`),
    };
  });
  const [twice] = repeated(categories.map(({ id }) => id));
  if (twice === undefined) return categories;
  throw new LabelsError(`${where}: each must have an id of its own, received ${twice} twice`);
}

/** What `info` says of every image. */
type Shared = Pick<LabelledImage, "gsdM" | "labelledClasses">;

function readShared(info: unknown, classOf: ReadonlyMap<number, number>, where: string): Shared {
  const gsdM = isObject(info) ? optional(info["gsd_m"], asNumber, `${where}.gsd_m`) : undefined;
  return { gsdM, labelledClasses: labelledClasses(info, classOf, where) };
}

/** The values that came before. */
function repeated<T>(values: readonly T[]): readonly T[] {
  const before = new Set<T>();
  return values.filter((value) => before.size === before.add(value).size);
}

function readImage(
  value: unknown,
  classOf: ReadonlyMap<number, number>,
  shared: Shared,
  where: string,
): LabelledImage {
  const image = asObject(value, where);
  return {
    file: asText(image["file_name"], `${where}.file_name`),
    id: asNumber(image["id"], `${where}.id`),
    width: asNumber(image["width"], `${where}.width`),
    height: asNumber(image["height"], `${where}.height`),
    gsdM: optional(image["gsd_m"], asNumber, `${where}.gsd_m`) ?? shared.gsdM,
    labelledClasses: labelledClasses(image, classOf, where) ?? shared.labelledClasses,
    objects: [],
  };
}

function labelledClasses(
  holder: unknown,
  classOf: ReadonlyMap<number, number>,
  where: string,
): readonly number[] | undefined {
  const ids = isObject(holder) ? holder["labelled_categories"] : undefined;
  return optional(ids, asNumbers, `${where}.labelled_categories`)?.map((id) =>
    known(classOf, id, `${where}.labelled_categories`, "category"),
  );
}

function readObject(
  annotation: JsonObject,
  classOf: ReadonlyMap<number, number>,
  where: string,
): LabelledObject {
  const category = asNumber(annotation["category_id"], `${where}.category_id`);
  const corners = optional(annotation["corners"], asNumbers, `${where}.corners`);
  const rings = Array.isArray(annotation["segmentation"])
    ? asArray(annotation["segmentation"], where)
        .map((ring, i) => asNumbers(ring, `${where}.segmentation[${i}]`))
        .filter((ring) => ring.length > 0)
    : [];
  const object: LabelledObject = {
    classIndex: known(classOf, category, `${where}.category_id`, "category"),
    box: readBox(annotation["bbox"], corners ?? rings.flat(), `${where}.bbox`),
    corners,
    polygon: rings.length === 0 || isSame(rings, corners) ? undefined : rings,
    difficult: Boolean(annotation["difficult"]),
    crowd: annotation["iscrowd"] === 1,
    score: optional(annotation["score"], asNumber, `${where}.score`),
  };
  const areaPx2 = optional(annotation["area"], asNumber, `${where}.area`);
  const isOwn = areaPx2 !== undefined && Math.abs(areaPx2 - shapeArea(object)) > 1e-6 * areaPx2;
  return isOwn ? { ...object, areaPx2 } : object;
}

function readBox(value: unknown, points: readonly number[], where: string): LabelledObject["box"] {
  if (value === undefined && points.length > 0) return boundsOf(points);
  const numbers = asNumbers(value, where);
  const [x = 0, y = 0, width = 0, height = 0] = numbers;
  if (numbers.length !== 4) {
    throw new LabelsError(`${where}: must be x, y, width, height, received ${numbers.join(", ")}`);
  }
  return [x, y, x + width, y + height];
}

function isSame(rings: readonly (readonly number[])[], corners: readonly number[] | undefined) {
  return rings.length === 1 && String(rings[0]) === String(corners);
}

function imageOf(
  annotation: JsonObject,
  objects: ReadonlyMap<number, LabelledObject[]>,
  where: string,
): LabelledObject[] {
  const id = asNumber(annotation["image_id"], `${where}.image_id`);
  return known(objects, id, `${where}.image_id`, "image");
}

function known<T>(table: ReadonlyMap<number, T>, id: number, where: string, kind: string): T {
  const value = table.get(id);
  if (value !== undefined) return value;
  throw new LabelsError(`${where}: must be the id of ${kind} of the set, received ${id}`);
}

/** The whole set as one JSON text; ids count from one where images have none. */
export function formatCoco(dataset: LabelledDataset): string {
  const { classes, images } = dataset;
  const [shared] = images.map(({ labelledClasses }) => labelledClasses);
  const sameForAll = images.every((image) => String(image.labelledClasses) === String(shared));
  const ids = (indices: readonly number[] | undefined) => ({
    ...(indices && { labelled_categories: indices.map((index) => categoryId(dataset, index)) }),
  });
  let next = 1;
  return JSON.stringify({
    info: sameForAll ? ids(shared) : {},
    images: images.map((image, i) => ({
      id: image.id ?? i + 1,
      file_name: image.file,
      width: image.width,
      height: image.height,
      ...(image.gsdM !== undefined && { gsd_m: image.gsdM }),
      ...(!sameForAll && ids(image.labelledClasses)),
    })),
    categories: classes.map((name, i) => ({ id: categoryId(dataset, i), name })),
    annotations: images.flatMap((image, i) =>
      image.objects.map((object) => ({
        id: next++,
        image_id: image.id ?? i + 1,
        ...cocoObject(object, categoryId(dataset, object.classIndex)),
      })),
    ),
  });
}

function categoryId({ classIds }: LabelledDataset, classIndex: number): number {
  return classIds?.[classIndex] ?? classIndex + 1;
}

/** What a COCO annotation says of an object, without the ids of annotation and image. */
export function cocoObject(object: LabelledObject, category: number): object {
  const [x1, y1, x2, y2] = object.box;
  const rings = object.polygon ?? (object.corners && [object.corners]) ?? [];
  return {
    category_id: category,
    bbox: [x1, y1, x2 - x1, y2 - y1],
    area: shapeArea(object),
    segmentation: rings,
    ...(object.corners && { corners: object.corners }),
    iscrowd: object.crowd ? 1 : 0,
    ...(object.difficult && { difficult: true }),
    ...(object.score !== undefined && { score: object.score }),
  };
}
