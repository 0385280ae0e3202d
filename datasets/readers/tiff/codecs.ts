/**
 * Decompression of TIFF blocks: a table from the compression tag to a decoder.
 *
 * What is here runs everywhere; `codecs-node.ts` puts native decoders before some of them.
 */
import { decodeLzw } from "./lzw.ts";
import type { Layout } from "./layout.ts";

/** A block as it is to be decoded. */
export interface EncodedBlock {
  readonly layout: Layout;
  readonly width: number;
  readonly height: number;
  /** Bands within the block. */
  readonly samples: number;
  /** Bytes that the decoded block has. */
  readonly expectedBytes: number;
}

export interface DecodedBytes {
  /** Of the block alone: they will be changed, and kept. */
  readonly bytes: Uint8Array;
  /** Samples are in the machine's byte order already, with no predictor. @default false */
  readonly native?: boolean;
  /** YCbCr was converted to RGB already. @default false */
  readonly rgb?: boolean;
}

export type Decode = (bytes: Uint8Array, block: EncodedBlock) => Promise<DecodedBytes>;

export type Codecs = ReadonlyMap<number, Codec>;

export interface Codec {
  readonly name: string;
  readonly decode: Decode;
}

/** Decoders by TIFF compression tag. */
export const CODECS: Codecs = new Map<number, Codec>([
  [1, { name: "none", decode: async (bytes) => ({ bytes: bytes.slice() }) }],
  [
    5,
    {
      name: "LZW",
      decode: async (bytes, block) => ({ bytes: decodeLzw(bytes, block.expectedBytes) }),
    },
  ],
  [7, { name: "JPEG", decode: library(7) }],
  [8, { name: "Deflate", decode: library(8) }],
  [32946, { name: "Deflate", decode: library(8) }],
  [32773, { name: "PackBits", decode: library(32773) }],
  [34887, { name: "LERC", decode: native(library(34887)) }],
  [50000, { name: "Zstandard", decode: library(50000) }],
  [50001, { name: "WebP", decode: library(50001) }],
]);

/** Names of compressions that have no decoder, for the message. */
export const UNREADABLE: Readonly<Record<number, string>> = {
  2: "CCITT RLE",
  3: "CCITT T.4",
  4: "CCITT T.6",
  6: "old-style JPEG",
  34712: "JPEG 2000",
  34925: "LZMA",
  50002: "JPEG XL",
};

/** A decoder of geotiff.js, without its predictor (which ignores the byte order of the file). */
function library(compression: number): Decode {
  return async (bytes, { layout, width, height, samples }) => {
    const parameters = {
      tileWidth: width,
      tileHeight: height,
      predictor: 1,
      bitsPerSample: Array.from({ length: samples }, () => layout.bits),
      planarConfiguration: layout.planar ? 2 : 1,
      samplesPerPixel: samples,
      JPEGTables: layout.jpegTables,
      LercParameters: layout.lercParameters,
    };
    const { getDecoder } = await import("geotiff"); // large, and Node needs it for rare compressions only
    const decoder = await getDecoder(compression, parameters);
    return { bytes: new Uint8Array(await decoder.decode(exactBuffer(bytes))) };
  };
}

/** LERC stores numbers, not bytes: they come out in the machine's byte order. */
function native(decode: Decode): Decode {
  return async (bytes, block) => ({ ...(await decode(bytes, block)), native: true });
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return (whole ? bytes : bytes.slice()).buffer as ArrayBuffer; // our bytes are never shared
}
