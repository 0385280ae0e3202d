/**
 * Resizing along one axis as a matrix, exactly as PyTorch's `interpolate(align_corners=False)` weighs its samples.
 *
 * Cubic weights: Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = −0.75, or
 * −0.5 where the kernel is widened against aliasing (as PyTorch and Pillow have it).
 */

export type Resampling = "nearest" | "bilinear" | "bicubic";

/** Weight of a sample at distance `x`, in samples. */
function kernelOf(how: "bilinear" | "bicubic", a: number): (x: number) => number {
  if (how === "bilinear") return (x) => Math.max(0, 1 - Math.abs(x));
  return (signed) => {
    const x = Math.abs(signed);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  };
}

/**
 * The weights `[to, from]` that make `to` samples of `from`, row by row.
 *
 * With `antialias` a shrinking kernel is widened until it covers every sample between two results.
 */
export function resampling(
  how: Resampling,
  from: number,
  to: number,
  { antialias = false }: { readonly antialias?: boolean } = {},
): Float32Array {
  const matrix = new Float32Array(to * from);
  const scale = from / to;
  if (how === "nearest") {
    for (let i = 0; i < to; i++) matrix[i * from + Math.min(Math.floor(i * scale), from - 1)] = 1;
    return matrix;
  }
  const kernel = kernelOf(how, antialias ? -0.5 : -0.75);
  const wide = antialias ? Math.max(scale, 1) : 1;
  const support = (how === "bilinear" ? 1 : 2) * wide;
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale - 0.5;
    const samples = [];
    for (let j = Math.ceil(centre - support); j <= centre + support; j++) samples.push(j);
    // Widened kernels leave out what lies outside and share its weight; plain ones repeat the edge.
    const used = antialias ? samples.filter((j) => j >= 0 && j < from) : samples;
    const weights = used.map((j) => kernel((j - centre) / wide));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [n, j] of used.entries()) {
      const at = i * from + Math.min(Math.max(j, 0), from - 1);
      matrix[at] = (matrix[at] ?? 0) + (weights[n] ?? 0) / total;
    }
  }
  return matrix;
}
