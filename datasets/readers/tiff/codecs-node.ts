/**
 * Native decoders: zlib in Node's thread pool, JPEG and WebP through libvips.
 *
 * Its JPEG decoder is the one that GDAL has (libjpeg-turbo), so values agree with GDAL's to the last bit; the one
 * that runs everywhere differs by a few levels where chroma was subsampled.
 */
import { promisify } from "node:util";
import { inflate, inflateSync } from "node:zlib";
import sharp from "sharp";
import { CODECS, type Codec, type Codecs, type Decode } from "./codecs.ts";
import { PHOTOMETRIC } from "./tags.ts";

const inflateLater = promisify(inflate);

/** Below this a trip to another thread costs more than the work. */
const SYNC_BYTES = 4096;

/** More than a block should have is borne, up to here. */
const SLACK_BYTES = 1024 * 1024;
/** A damaged file may promise a block of a gigabyte. */
const PIECE_BYTES = 16 * 1024 * 1024;

const decodeDeflate: Decode = async (bytes, { expectedBytes }) => {
  const maxOutputLength = expectedBytes + SLACK_BYTES;
  // In one piece: otherwise every 16 KiB come back from the pool of threads, to be joined here.
  const chunkSize = Math.max(64, Math.min(expectedBytes + 1, PIECE_BYTES));
  const options = { maxOutputLength, chunkSize };
  if (bytes.length < SYNC_BYTES) return { bytes: inflateSync(bytes, options) };
  return { bytes: await inflateLater(bytes, options) };
};

const APP14_ADOBE = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0] as const;

/**
 * A TIFF block is an abbreviated JPEG: its tables stand in a tag, and a marker for the colour space is missing.
 * Both are put in, then it is a file that any decoder takes.
 */
const decodeJpeg: Decode = async (bytes, block) => {
  const { layout, width, height, samples } = block;
  if (samples === 2 || samples > 4) return portable(7)(bytes, block);
  const isYCbCr = layout.photometric === PHOTOMETRIC.yCbCr;
  const tables = layout.jpegTables?.subarray(2, -2) ?? new Uint8Array();
  const marker = samples === 3 ? [...APP14_ADOBE, isYCbCr ? 1 : 0] : [];
  const file = Buffer.concat([
    bytes.subarray(0, 2),
    Buffer.from(marker),
    tables,
    bytes.subarray(2),
  ]);
  const image = sharp(file, { failOn: "error", limitInputPixels: false });
  const space = samples === 1 ? "b-w" : samples === 3 ? "srgb" : "cmyk";
  const exact = image.pipelineColourspace(space).toColourspace(space);
  const { data, info } = await exact.raw().toBuffer({ resolveWithObject: true });
  if (info.width !== width || info.height < height || info.channels !== samples) {
    throw new Error(
      `it must be ${width} x ${height} with ${samples} bands, received ${info.width} x ${info.height} with ${info.channels}`,
    );
  }
  if (samples === 4) invert(data); // four bands look like CMYK, which libvips turns over
  return { bytes: data, rgb: isYCbCr };
};

function invert(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = 255 - (bytes[i] ?? 0);
}

const decodeWebp: Decode = async (bytes, { samples }) => {
  const image = sharp(bytes, { failOn: "error" });
  const shaped = samples === 4 ? image.ensureAlpha() : image.removeAlpha();
  return { bytes: await shaped.raw().toBuffer() };
};

function portable(compression: number): Decode {
  const codec = CODECS.get(compression);
  if (codec === undefined) throw new Error(`compression ${compression} has no portable decoder`);
  return codec.decode;
}

/** {@link CODECS}, the native ones before them. */
export const NODE_CODECS: Codecs = new Map<number, Codec>([
  ...CODECS,
  [7, { name: "JPEG", decode: decodeJpeg }],
  [8, { name: "Deflate", decode: decodeDeflate }],
  [32946, { name: "Deflate", decode: decodeDeflate }],
  [50001, { name: "WebP", decode: decodeWebp }],
]);
