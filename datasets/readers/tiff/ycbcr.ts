/** YCbCr to RGB in place, full range, ITU-R BT.601 luma (TIFF 6.0 §21; what JPEG in TIFF has). */
import type { Samples } from "../../scene.ts";

export function yCbCrToRgb(values: Samples): void {
  const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
  for (let i = 0; i + 2 < values.length; i += 3) {
    const y = values[i] ?? 0;
    const blue = (values[i + 1] ?? 0) - 128;
    const red = (values[i + 2] ?? 0) - 128;
    values[i] = clamp(y + 1.402 * red);
    values[i + 1] = clamp(y - 0.344136 * blue - 0.714136 * red);
    values[i + 2] = clamp(y + 1.772 * blue);
  }
}
