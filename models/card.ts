/** What must be known of a detector beside its bytes. */

/** How a tile becomes the network's input. */
export interface ModelInput {
  readonly name: string;
  /** Pixels of the network's input; undefined where the file leaves them open. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Tiles in one run: as the file fixes it, 1 where more give other results; undefined where any number is allowed. */
  readonly batch: number | undefined;
  readonly channels: number;
  /** Of the file's own input. A detector always takes `B C Y X` and turns it where needed. */
  readonly layout: "B C Y X" | "B Y X C";
  /** Order in which a three-band tile is handed over. */
  readonly order: "rgb" | "bgr";
  /** Input = (value − mean) / std per channel, of values stretched to 0…255; channels as handed over. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** How a tile smaller or larger than the input is fitted: padded at right and bottom, centred, or stretched. */
  readonly fit: "pad" | "letterbox" | "stretch";
  /** Fill of padding and nodata, 0…255. */
  readonly padValue: number;
  /** Of the file's own input. A detector always takes float32 and converts where needed. */
  readonly type: "float32" | "uint8";
}

export interface ModelCard {
  readonly name: string;
  readonly sha256: string;
  /** A class number beyond the list is named `class 7`. */
  readonly classes: readonly string[];
  readonly input: ModelInput;
  /** Metres per pixel that the model was trained at; a range where it saw several. */
  readonly gsdM: { readonly from: number; readonly to: number } | undefined;
  /** Suggested by the model's author. */
  readonly scoreAtLeast: number | undefined;
  readonly overlapPx: number | undefined;
  /** Scales beside 1 that its author looks at a scene with. */
  readonly scales?: readonly number[] | undefined;
  readonly oriented: boolean;
  /** Where each fact came from: `metadata`, `shape`, `family default`, `option`. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly licence?: string | undefined;
}

/** The model is unknown, unfit, or its bytes are broken. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code = "ERR_MODEL";
}
