/** From the encoded bytes of a block to its pixels. */
import { SceneError } from "../../scene-error.ts";
import { allocate, type Interleaved } from "../samples.ts";
import type { Codecs, DecodedBytes, EncodedBlock } from "./codecs.ts";
import type { Layout } from "./layout.ts";
import { toSamples } from "./predictor.ts";
import { PHOTOMETRIC } from "./tags.ts";
import { yCbCrToRgb } from "./ycbcr.ts";

export interface BlockPlace {
  readonly column: number;
  readonly row: number;
}

export interface DecodeOptions {
  /** The file, for messages. */
  readonly name: string;
  readonly codecs: Codecs;
  /** What pixels of blocks have that are not in the file. */
  readonly fill: number;
}

/** Bytes of a decoded block of so many rows. */
export function decodedBytes({ blockWidth, bits, ...layout }: Layout, rows: number): number {
  const samples = layout.planar ? 1 : layout.samples;
  return Math.ceil((blockWidth * samples * bits) / 8) * rows;
}

/** @throws {SceneError} naming the block, where its bytes are damaged. */
export async function decodeBlock(
  layout: Layout,
  place: BlockPlace,
  encoded: Uint8Array | undefined,
  { name, codecs, fill }: DecodeOptions,
): Promise<Interleaved> {
  const { blockWidth: width } = layout;
  const samples = layout.planar ? 1 : layout.samples;
  const height = rowsOf(layout, place);
  if (encoded === undefined) {
    const values = allocate(layout.sampleType, width * height * samples).fill(fill);
    return { width, count: samples, values };
  }
  const expectedBytes = decodedBytes(layout, height);
  const block: EncodedBlock = { layout, width, height, samples, expectedBytes };
  const codec = codecs.get(layout.compression);
  if (codec === undefined) throw new SceneError(`${name}: compression ${layout.compression}`);
  try {
    return toBlock(block, await codec.decode(encoded, block));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SceneError(
      `${name}: block ${place.column},${place.row} cannot be decoded (${codec.name}: ${why})`,
      { cause },
    );
  }
}

/** The last strip may be shorter; the last tile is whole. */
function rowsOf({ tiled, height, blockHeight }: Layout, { row }: BlockPlace): number {
  return tiled ? blockHeight : Math.min(blockHeight, height - row * blockHeight);
}

function toBlock(block: EncodedBlock, { bytes, native, rgb }: DecodedBytes): Interleaved {
  const { layout, width, samples, expectedBytes } = block;
  if (bytes.length < expectedBytes) {
    throw new Error(`it must decode to ${expectedBytes} bytes, received ${bytes.length}`);
  }
  const values = toSamples(bytes.subarray(0, expectedBytes), block, native === true);
  const isYCbCr = layout.photometric === PHOTOMETRIC.yCbCr && samples === 3;
  if (isYCbCr && rgb !== true) yCbCrToRgb(values);
  return { width, count: samples, values };
}
