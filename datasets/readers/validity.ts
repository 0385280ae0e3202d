/** Which pixels of a window are data. */
import type { Samples } from "../scene.ts";

/** What a format knows of pixels that are no data. */
export interface ValiditySources {
  readonly nodata?: number | undefined;
  /** Alpha, 0 where transparent. */
  readonly alpha?: Samples | undefined;
  /** A mask, 0 where there is no data. */
  readonly mask?: Samples | undefined;
}

/**
 * 1 where a pixel is data, 0 where not; undefined where all are data.
 *
 * A pixel is no data where *every* band read holds the nodata value (one band may hold it by chance), where *any*
 * band is NaN or infinite, and where alpha or the mask is 0.
 */
export function validity(
  bands: readonly Samples[],
  { nodata, alpha, mask }: ValiditySources,
): Uint8Array | undefined {
  const floats = bands.filter(isFloatBand);
  const layers = [alpha, mask].filter((layer) => layer !== undefined);
  if (nodata === undefined && layers.length === 0 && floats.length === 0) return undefined;
  const valid = new Uint8Array(bands[0]?.length ?? 0).fill(1);
  if (nodata !== undefined) clearNodata(valid, bands, nodata);
  for (const band of floats) clearNonFinite(valid, band);
  for (const layer of layers) clearZeros(valid, layer);
  return valid.includes(0) ? valid : undefined;
}

function isFloatBand(band: Samples): band is Float32Array | Float64Array {
  return band instanceof Float32Array || band instanceof Float64Array;
}

function clearNodata(valid: Uint8Array, bands: readonly Samples[], nodata: number): void {
  const [first, ...others] = bands;
  if (first === undefined || Number.isNaN(nodata)) return; // NaN is cleared as not finite
  const value = first instanceof Float32Array ? Math.fround(nodata) : nodata;
  for (let i = 0; i < valid.length; i += 1) if (first[i] === value) valid[i] = 0;
  for (const band of others) {
    for (let i = 0; i < valid.length; i += 1) if (band[i] !== value) valid[i] = 1;
  }
}

function clearNonFinite(valid: Uint8Array, band: Float32Array | Float64Array): void {
  for (let i = 0; i < valid.length; i += 1) {
    if (!Number.isFinite(band[i])) valid[i] = 0;
  }
}

function clearZeros(valid: Uint8Array, layer: Samples): void {
  for (let i = 0; i < valid.length; i += 1) if (layer[i] === 0) valid[i] = 0;
}
