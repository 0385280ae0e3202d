/** Small scenes for tests of the command line. */
import { crsFromEpsg, writeGeoTiffFile } from "../../datasets/node.ts";

export interface TestScene {
  readonly width?: number;
  readonly height?: number;

  readonly nodata?: number;
  /** The same in all three bands. @default a grey ramp */
  readonly value?: (column: number, row: number) => number;
}

/** Writes an eight-bit RGB scene of half-metre pixels at 45° N on the central meridian of zone 33. */
export async function writeScene(path: string, scene: TestScene = {}): Promise<void> {
  const { width = 96, height = 64, nodata, value = (x, y) => (x + y) % 200 } = scene;
  await writeGeoTiffFile(
    path,
    {
      width,
      height,
      sampleType: "uint8",
      bands: [{ role: "red" }, { role: "green" }, { role: "blue" }],
      nodata,
      crs: crsFromEpsg(32_633),
      transform: [0.5, 0, 500_000, 0, -0.5, 5_000_000],
    },
    (window) => {
      const band = new Uint8Array(window.width * window.height).map((_, i) =>
        value(window.x + (i % window.width), window.y + Math.floor(i / window.width)),
      );
      return [band, band, band];
    },
  );
}
