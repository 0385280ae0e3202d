/** The weights of a shipped model, and the ONNX file that is written of them. */
import { buildShipped, readWeights } from "../../../models/index.ts";
import { SHIPPED } from "../shipped.ts";

/** Addresses at which Vite serves the weights. */
const WEIGHTS = import.meta.glob<string>("../../../models/weights/*.safetensors", {
  eager: true,
  query: "?url",
  import: "default",
});

/**
 * Fetches the weights of a model and writes its ONNX file.
 *
 * @throws {RangeError} where no shipped model has that name
 * @throws {TypeError} where the weights cannot be fetched
 */
export async function fetchShipped(name: string): Promise<Uint8Array> {
  const card = SHIPPED.find((one) => one.name === name);
  const address = WEIGHTS[`../../../models/weights/${name}.safetensors`];
  if (card === undefined || address === undefined) {
    const names = SHIPPED.map((one) => one.name).join(", ");
    throw new RangeError(`fetchShipped: a model must be one of ${names}, received ${name}`);
  }
  const answer = await fetch(address);
  if (!answer.ok) {
    throw new TypeError(
      `fetchShipped: the weights of ${name} must be there, received ${answer.status}`,
    );
  }
  const weights = readWeights(new Uint8Array(await answer.arrayBuffer()));
  const side = card.tilePx;
  return buildShipped(card, weights, { batch: 1, widthPx: side, heightPx: side });
}
