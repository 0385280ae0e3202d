/** Inference: raw tensors through the session, or encoded images through the whole pipeline. */
import {
  type EngineTensor,
  type Feeds,
  type FoundObject,
  SETTINGS,
  type SettingName,
  type SettingsInput,
} from "../../../pipeline/index.ts";
import type { ServedModel } from "../models/served.ts";
import type { Limits } from "../options.ts";
import { fieldName, fieldValue, REQUEST_SETTINGS } from "../requests/body.ts";
import { findOnce } from "../requests/detect-once.ts";
import { openUpload } from "../requests/pixels.ts";
import type { InferRequest } from "./protocol.ts";
import { bad, type GivenInput, type Output, toFiles, toTensor } from "./tensors.ts";

/** The input that takes encoded images instead of the network's own inputs. */
export const IMAGE_INPUT = "image";

/** What comes back for encoded images: one row for each object of all images. */
export const IMAGE_OUTPUTS = ["boxes", "corners", "scores", "labels", "names", "image_index"] as const; // prettier-ignore

/** Runs the network on raw tensors. @throws {RequestError} where inputs and ports do not fit */
export async function inferTensors(
  { session }: ServedModel,
  inputs: readonly GivenInput[],
  signal: AbortSignal,
): Promise<readonly Output[]> {
  const names = session.inputs.map(({ name }) => name);
  const unknown = inputs.find(({ name }) => !names.includes(name));
  if (unknown !== undefined) {
    throw bad(`inputs must be ${[...names, IMAGE_INPUT].join(", ")}, received ${unknown.name}`);
  }
  const feeds: Feeds = Object.fromEntries(
    session.inputs.map((port) => {
      const input = inputs.find(({ name }) => name === port.name);
      if (input === undefined) throw bad(`${port.name} must be given, received none`);
      return [port.name, toTensor(input, port)];
    }),
  );
  const found = await session.run(feeds, { signal });
  return session.outputs.flatMap(({ name }) => {
    const tensor = found[name];
    return tensor === undefined ? [] : [{ name, tensor }];
  });
}

export interface ImageOptions {
  readonly limits: Limits;
  readonly base: SettingsInput;
  readonly signal: AbortSignal;
}

/** Detects in encoded images; the request's parameters are settings. */
export async function inferImages(
  model: ServedModel,
  input: GivenInput,
  { parameters = {} }: InferRequest,
  { limits, base, signal }: ImageOptions,
): Promise<readonly Output[]> {
  const said = settingsFrom(parameters);
  const perImage: (readonly FoundObject[])[] = [];
  for (const [i, file] of toFiles(input).entries()) {
    const limit = { mostPixels: limits.syncPixels, signal };
    await using scene = await openUpload({ place: file, name: `image-${i}` }, limits, limit);
    const { objects } = await findOnce({ scene, model, said, base, signal });
    perImage.push(objects);
  }
  return toOutputs(perImage);
}

/** Parameters of the protocol that are none of ours. */
const OF_THE_PROTOCOL = new Set([
  "binary_data_output",
  "content_type",
  "headers",
  "priority",
  "timeout",
  "sequence_id",
  "sequence_start",
  "sequence_end",
]);

function settingsFrom(parameters: NonNullable<InferRequest["parameters"]>): SettingsInput {
  const said: Partial<Record<SettingName, unknown>> = {};
  for (const [given, value] of Object.entries(parameters)) {
    if (OF_THE_PROTOCOL.has(given)) continue;
    const name = REQUEST_SETTINGS.find((one) => one === fieldName(given));
    if (name === undefined || SETTINGS[name].group === "output") {
      throw bad(`parameters must be settings of a detection, received ${given}`);
    }
    said[name] = typeof value === "string" ? fieldValue(name, value) : value;
  }
  return said as SettingsInput; // resolveSettings judges the values
}

function toOutputs(perImage: readonly (readonly FoundObject[])[]): readonly Output[] {
  const all = perImage.flat();
  const rows = all.length;
  const floats = (width: number, values: readonly number[]): EngineTensor => ({
    type: "float32",
    dims: width === 1 ? [rows] : [rows, width],
    data: Float32Array.from(values),
  });
  const counts = (values: readonly number[]): EngineTensor => ({
    type: "int64",
    dims: [rows],
    data: BigInt64Array.from(values, BigInt),
  });
  return [
    { name: "boxes", tensor: floats(4, all.flatMap(extentOf)) },
    { name: "corners", tensor: floats(8, all.flatMap(({ corners }) => [...corners])) }, // prettier-ignore
    { name: "scores", tensor: floats(1, all.map(({ score }) => score)) }, // prettier-ignore
    { name: "labels", tensor: counts(all.map(({ classIndex }) => classIndex)) },
    { name: "names", tensor: { dims: [rows], texts: all.map((object) => object.class) } },
    { name: "image_index", tensor: counts(perImage.flatMap((found, i) => found.map(() => i))) },
  ];
}

/** `x1 y1 x2 y2` in pixels of the image. */
function extentOf({ corners }: FoundObject): readonly number[] {
  const [x, y] = [0, 1].map((axis) => corners.filter((_, i) => i % 2 === axis));
  if (x === undefined || y === undefined) return [];
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
}
