/** Decoding training images: the same opening, band choice and stretch as in detection. */
import { LabelsError, type Pixels } from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";
import type { ModelInput } from "../../models/index.ts";
import { chooseBands, toColours } from "../bands.ts";
import { writeInput } from "../preprocess.ts";
import { decideStretch } from "../stretch.ts";
import type { TrainingRecord } from "./loader.ts";

/** Red, green and blue in 0…255: what {@link writeInput} makes for a network without normalisation. */
const BYTES: ModelInput = {
  name: "image",
  width: undefined,
  height: undefined,
  batch: undefined,
  channels: 3,
  layout: "B C Y X",
  order: "rgb",
  mean: [0, 0, 0],
  std: [1, 1, 1],
  fit: "pad",
  padValue: 114,
  type: "uint8",
};

/**
 * @throws {SceneError} where the file is no image or its bytes are broken
 * @throws {LabelsError} where it has another size than its labels say
 */
export async function readTrainingPixels({
  path,
  labelledSize,
}: Pick<TrainingRecord, "path" | "labelledSize">): Promise<Pixels> {
  await using scene = await openScene(path, { cacheBytes: 0 });
  const { width, height } = scene;
  const said = labelledSize ?? scene;
  if (said.width !== width || said.height !== height) {
    throw new LabelsError(
      `${path}: must be ${said.width} × ${said.height} px, as its labels say, received ${width} × ${height}`,
    );
  }
  const bands = chooseBands(scene, 3);
  const stretch = await decideStretch(scene, bands, "auto");
  const read = await scene.read({ x: 0, y: 0, width, height }, { bands: bands.read });
  const fit = { width, height, tile: { width, height }, zoom: 1 };
  const out = new Float32Array(3 * width * height);
  writeInput(toColours(read, bands), { input: BYTES, fit, bands, stretch }, out);
  const plane = (c: number): Uint8Array =>
    Uint8Array.from(out.subarray(c * width * height, (c + 1) * width * height));
  return { width, height, bands: [plane(0), plane(1), plane(2)], valid: undefined };
}
