/** What a browser must be able to do. */

/** The smallest module with a SIMD instruction: a function that makes a vector of an i32 and counts its bits. */
const SIMD_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic, version 1
  ...[1, 5, 1, 96, 0, 1, 123], // types: () → v128
  ...[3, 2, 1, 0], // functions: one of type 0
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11], // i32.const 0, i8x16.splat, i8x16.popcnt
);

/** A sentence about what this browser lacks; undefined where it lacks nothing that is needed. */
export function missingAbility(): string | undefined {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(SIMD_MODULE)) {
    return "This browser has no WebAssembly SIMD, which the detector needs: Chrome 91, Firefox 89, Safari 16.4 and later have it.";
  }
  if (typeof OffscreenCanvas === "undefined") {
    return "This browser has no OffscreenCanvas, which reading pictures needs: Chrome 69, Firefox 105, Safari 16.4 and later have it.";
  }
  return undefined;
}
