import type { Samples } from "../../datasets/index.ts";

/**
 * GDALChecksumImage, continued over `values`, which begin at pixel `from` of the band: the remainders of the values
 * by eleven primes in turn, modulo 2¹⁶.
 */
export function gdalChecksum(sum: number, values: Samples, from: number): number {
  const primes = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43];
  let next = sum;
  for (let i = 0; i < values.length; i += 1) {
    next = (next + ((values[i] ?? 0) % (primes[(from + i) % 11] ?? 1))) & 0xffff;
  }
  return next;
}
