/** Which input of a network is the image, and how large it is. */
import { type Metadata, ModelError, type ModelInput } from "../../models/index.ts";
import type { Port } from "../engines/engine.ts";

/** The image input as the file has it. */
export interface OpenImageInput {
  readonly name: string;
  /** 3 where the file has no batch axis (torchvision): one image at a time. */
  readonly rank: 3 | 4;
  readonly layout: ModelInput["layout"];
  readonly type: ModelInput["type"];
  readonly channels: number;
  /** Undefined where the file leaves it open. */
  readonly batch: number | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

export interface ImageInput extends OpenImageInput {
  readonly width: number;
  readonly height: number;
}

/** Bands that a scene may have, and a network take; a larger axis is rows or columns. */
const MOST_CHANNELS = 16;

/** @throws {ModelError} where no input, or more than one, can be an image. */
export function findImageInput(inputs: readonly Port[], metadata: Metadata): OpenImageInput {
  const images = inputs.flatMap((port) => {
    const image = asImage(port, metadata);
    return image === undefined ? [] : [image];
  });
  const [only] = images;
  if (only === undefined || images.length > 1) {
    throw new ModelError(
      `loadDetector: a detector must have one input that is an image [B C Y X], received ${describe(inputs)}`,
    );
  }
  return only;
}

const describe = (inputs: readonly Port[]): string =>
  inputs
    .map(({ name, type, dims }) => `${name} ${type} [${dims.map((d) => d ?? "?").join(" ")}]`)
    .join(", ") || "none";

function asImage({ name, type, dims }: Port, metadata: Metadata): OpenImageInput | undefined {
  if (type !== "float32" && type !== "float16" && type !== "uint8") return undefined;
  if (dims.length !== 3 && dims.length !== 4) return undefined;
  const [first, second, third] = dims.slice(-3);
  const isLast = isChannels(third) && !isChannels(first);
  const [channels, height, width] = isLast ? [third, first, second] : [first, second, third];
  if (channels !== undefined && !isChannels(channels)) return undefined;
  return {
    name,
    rank: dims.length,
    layout: isLast ? "B Y X C" : "B C Y X",
    type: type === "uint8" ? "uint8" : "float32",
    channels: channels ?? channelsOf(metadata),
    batch: dims.length === 4 ? dims[0] : 1,
    width,
    height,
  };
}

const channelsOf = ({ card, mean }: Metadata): number => card?.input.channels ?? mean?.length ?? 3;

const isChannels = (length: number | undefined): boolean =>
  length !== undefined && length <= MOST_CHANNELS;

/** Side of the input of nearly every detector whose file leaves it open. */
const DEFAULT_PX = 640;

/** Decides sizes that the file leaves open. */
export function resolveSize(
  image: OpenImageInput,
  metadata: Metadata,
  sizePx: number | undefined,
): { readonly image: ImageInput; readonly from: string } {
  const { width, height } = image;
  if (width !== undefined && height !== undefined) {
    return { image: { ...image, width, height }, from: "shape" };
  }
  const written = metadata.card?.input ?? metadata.size;
  const asked = (side: "width" | "height"): number =>
    image[side] ?? toStride(sizePx ?? written?.[side] ?? DEFAULT_PX);
  const sized = { ...image, width: asked("width"), height: asked("height") };
  if (sizePx !== undefined) return { image: sized, from: "option" };
  return { image: sized, from: written?.width === undefined ? "default" : "metadata" };
}

/** The coarsest grid of nearly every detector has a stride of 32. */
const toStride = (px: number): number => Math.max(32, Math.ceil(px / 32) * 32);
