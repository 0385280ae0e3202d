import { expect } from "vitest";
import type { Samples } from "../../datasets/index.ts";

/** Compares bands by their bytes: `toEqual` takes seconds over large arrays. */
export function expectSamePixels(bands: readonly Samples[], expected: readonly Samples[]): void {
  expect(bands.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  const bytes = ({ buffer, byteOffset, byteLength }: Samples): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  bands.forEach((band, i) => {
    const same = bytes(band).equals(bytes(expected[i] ?? new Uint8Array()));
    expect(same ? "same" : `band ${i} differs`).toBe("same");
  });
}
