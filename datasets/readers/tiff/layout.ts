/** How the pixels of one TIFF image are laid out: types, blocks, and where each block lies in the file. */
import { SceneError, type SampleType } from "../../scene.ts";
import type { Directory } from "./directory.ts";
import { PHOTOMETRIC, TAG } from "./tags.ts";

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly blocksAcross: number;
  readonly blocksDown: number;
  readonly tiled: boolean;
  readonly samples: number;
  /** True where each band has blocks of its own. */
  readonly planar: boolean;
  readonly bits: number;
  /** As in the file; 16-bit floats are widened to float32, 1 to 7 bits to uint8, 9 to 15 to uint16. */
  readonly sampleType: SampleType;
  readonly isFloat: boolean;
  readonly compression: number;
  readonly predictor: number;
  readonly photometric: number;
  readonly extraSamples: readonly number[];
  readonly littleEndian: boolean;
  readonly jpegTables: Uint8Array | undefined;
  readonly lercParameters: readonly number[] | undefined;
  /** Where a block lies. `lengthBytes` 0: it is not in the file (sparse). */
  readonly locate: (index: number) => Promise<BlockBytes>;
}

export interface BlockBytes {
  readonly offset: number;
  readonly lengthBytes: number;
}

/** Uncompressed strips larger than this are read in parts. */
const STRIP_PART_BYTES = 1024 * 1024;

/** @throws {SceneError} where the tags do not describe an image that can be read. */
export async function readLayout(name: string, directory: Directory): Promise<Layout> {
  const number = async (tag: number, otherwise: number): Promise<number> =>
    (await directory.number(tag)) ?? otherwise;
  const width = await number(TAG.imageWidth, 0);
  const height = await number(TAG.imageLength, 0);
  const samples = await number(TAG.samplesPerPixel, 1);
  if (
    !isCount(width, SIDE_AT_MOST) ||
    !isCount(height, SIDE_AT_MOST) ||
    !isCount(samples, SAMPLES_AT_MOST)
  ) {
    throw new SceneError(
      `${name}: an image must have whole numbers of pixels and bands, received ${width} x ${height} x ${samples}`,
    );
  }
  const bits = await sameForAll(name, "BitsPerSample", directory, TAG.bitsPerSample, 1);
  const format = await sameForAll(name, "SampleFormat", directory, TAG.sampleFormat, 1);
  const compression = await number(TAG.compression, 1);
  const planar = (await number(TAG.planarConfiguration, 1)) === 2 && samples > 1;
  const photometric = await number(TAG.photometric, PHOTOMETRIC.minIsBlack);
  const blocks = await readBlocks(name, directory, {
    width,
    height,
    rowBits: width * bits * (planar ? 1 : samples),
    compression,
  });
  return {
    width,
    height,
    ...blocks,
    samples,
    planar,
    bits,
    sampleType: sampleTypeOf(name, bits, format),
    isFloat: format === FLOAT,
    compression,
    predictor: await number(TAG.predictor, 1),
    photometric,
    extraSamples: (await directory.numbers(TAG.extraSamples)) ?? [],
    littleEndian: directory.littleEndian,
    jpegTables: await directory.bytes(TAG.jpegTables),
    lercParameters: await directory.numbers(TAG.lercParameters),
  };
}

/** Longest side: what GDAL and its kin can count to. */
const SIDE_AT_MOST = 2 ** 31 - 1;
/** Most bands: SamplesPerPixel is 16 bits wide by the letter of TIFF 6.0, whatever a broken file writes. */
const SAMPLES_AT_MOST = 65_535;

const isCount = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most;

/** Bands of one file may differ in type by the letter of TIFF 6.0; no reader we know bears that. */
async function sameForAll(
  name: string,
  label: string,
  directory: Directory,
  tag: number,
  otherwise: number,
): Promise<number> {
  const [first = otherwise, ...others] = (await directory.numbers(tag)) ?? [];
  if (others.every((value) => value === first)) return first;
  throw new SceneError(
    `${name}: all bands must have the same ${label}, received ${[first, ...others].join(", ")}`,
  );
}

/** TIFF's names of its SampleFormat values. */
const FORMATS = ["", "unsigned", "signed", "float", "untyped", "complex", "complex float"] as const;

const [UNSIGNED, SIGNED, FLOAT, UNTYPED] = [1, 2, 3, 4] as const;

function sampleTypeOf(name: string, bits: number, format: number): SampleType {
  const type = typeOf(bits, format === UNTYPED ? UNSIGNED : format);
  if (type !== undefined) return type;
  throw new SceneError(
    `${name}: samples must be integers of up to 16 or of 32 bits, or floats, ` +
      `received ${bits}-bit ${FORMATS[format] ?? format}`,
  );
}

function typeOf(bits: number, format: number): SampleType | undefined {
  const whole = bits === 8 || bits === 16 || bits === 32 ? bits : undefined;
  if (format === SIGNED) return whole === undefined ? undefined : `int${whole}`;
  if (format === FLOAT)
    return bits === 64 ? "float64" : bits === 16 || bits === 32 ? "float32" : undefined;
  if (format !== UNSIGNED || bits < 1) return undefined;
  if (bits <= 16) return bits <= 8 ? "uint8" : "uint16";
  return bits === 32 ? "uint32" : undefined;
}

interface ImageFacts {
  readonly width: number;
  readonly height: number;
  readonly rowBits: number;
  readonly compression: number;
}

async function readBlocks(name: string, directory: Directory, facts: ImageFacts) {
  const { width, height } = facts;
  if (directory.has(TAG.tileWidth)) {
    const blockWidth = (await directory.number(TAG.tileWidth)) ?? 0;
    const blockHeight = (await directory.number(TAG.tileLength)) ?? 0;
    return {
      ...grid(name, width, height, blockWidth, blockHeight),
      tiled: true,
      locate: locator(name, directory, TAG.tileOffsets, TAG.tileByteCounts),
    };
  }
  const rows = Math.min((await directory.number(TAG.rowsPerStrip)) ?? height, height);
  const locate = locator(name, directory, TAG.stripOffsets, TAG.stripByteCounts);
  return {
    ...splitStrips(name, facts, rows, locate),
    tiled: false,
  };
}

function grid(
  name: string,
  width: number,
  height: number,
  blockWidth: number,
  blockHeight: number,
) {
  if (!isCount(blockWidth, SIDE_AT_MOST) || !isCount(blockHeight, SIDE_AT_MOST)) {
    throw new SceneError(
      `${name}: blocks must have whole numbers of pixels, received ${blockWidth} x ${blockHeight}`,
    );
  }
  const blocksAcross = Math.ceil(width / blockWidth);
  const blocksDown = Math.ceil(height / blockHeight);
  if (!Number.isSafeInteger(blocksAcross * blocksDown * SAMPLES_AT_MOST)) {
    throw new SceneError(
      `${name}: blocks must be fewer than can be counted, received ${blocksAcross} x ${blocksDown}`,
    );
  }
  return { blockWidth, blockHeight, blocksAcross, blocksDown };
}

/** Strips; large uncompressed ones as several blocks, since their rows can be read one by one. */
function splitStrips(
  name: string,
  { width, height, rowBits, compression }: ImageFacts,
  stripRows: number,
  locate: Layout["locate"],
) {
  const rowBytes = Math.ceil(rowBits / 8);
  const partRows = Math.max(1, Math.floor(STRIP_PART_BYTES / rowBytes));
  if (compression !== 1 || stripRows <= partRows || stripRows < height) {
    return { ...grid(name, width, height, width, stripRows), locate };
  }
  const parts = grid(name, width, height, width, partRows);
  return {
    ...parts,
    locate: async (index: number): Promise<BlockBytes> => {
      const plane = Math.floor(index / parts.blocksDown);
      const row = (index % parts.blocksDown) * partRows;
      const { offset } = await locate(plane);
      const rows = Math.min(partRows, height - row);
      return { offset: offset + row * rowBytes, lengthBytes: rows * rowBytes };
    },
  };
}

function locator(
  name: string,
  directory: Directory,
  offsets: number,
  byteCounts: number,
): Layout["locate"] {
  const count = directory.count(offsets);
  return async (index) => {
    if (index >= count) {
      throw new SceneError(
        `${name}: the file must say where block ${index} lies, it knows ${count} blocks`,
      );
    }
    const [offset, lengthBytes] = await Promise.all([
      directory.at(offsets, index),
      directory.at(byteCounts, index),
    ]);
    return { offset, lengthBytes: offset === 0 ? 0 : lengthBytes };
  };
}
