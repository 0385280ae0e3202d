/** What is data in a window: the scene's own mask, a nodata value the user states, and no NaN or infinity. */
import type { Pixels, Samples } from "../datasets/index.ts";

/**
 * The pixels with a mask that can be trusted: whatever is not finite in some band is nodata, and so is a pixel that
 * holds the stated value in every band.
 *
 * @param nodata a sample value; `none`: everything finite is data, whatever the scene declares
 */
export function dataOnly(pixels: Pixels, nodata?: number | "none"): Pixels {
  const own = nodata === "none" ? undefined : pixels.valid;
  const stated = typeof nodata === "number" ? nodata : undefined;
  const floats = pixels.bands.filter(isFloat);
  if (stated === undefined && floats.length === 0)
    return own === pixels.valid ? pixels : { ...pixels, valid: own };
  const count = pixels.width * pixels.height;
  const valid = own === undefined ? new Uint8Array(count).fill(1) : Uint8Array.from(own);
  for (const band of floats) {
    for (let i = 0; i < count; i++) if (!Number.isFinite(band[i]!)) valid[i] = 0;
  }
  if (stated !== undefined) {
    for (let i = 0; i < count; i++) {
      if (valid[i] === 1 && pixels.bands.every((band) => band[i] === stated)) valid[i] = 0;
    }
  }
  return { ...pixels, valid: valid.includes(0) ? valid : undefined };
}

const isFloat = (band: Samples): boolean =>
  band instanceof Float32Array || band instanceof Float64Array;

/** True where no pixel is data. */
export const isEmpty = ({ valid }: Pixels): boolean => valid !== undefined && !valid.includes(1);

/** True where every pixel of every band has one value: a collar of white or black, where nothing can be found. */
export function isBlank({ bands }: Pixels): boolean {
  return bands.every((band) => {
    const first = band[0];
    for (let i = 1; i < band.length; i++) if (band[i] !== first) return false;
    return true;
  });
}
