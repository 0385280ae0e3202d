/** Numbers without pattern, the same ones every time: in ±1.5, or in 0.3…1.8. */
export function numbers(count: number, seed: number, positive = false): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const value = Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 43758.5453;
    const unit = value - Math.floor(value);
    return positive ? 0.3 + unit * 1.5 : unit * 3 - 1.5;
  });
}
