/** What runs a network. Engines know nothing of detection. */

/** A named array that goes into or comes out of a session. */
export type EngineTensor =
  | { readonly type: "float32"; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: "int32"; readonly dims: readonly number[]; readonly data: Int32Array }
  | { readonly type: "int64"; readonly dims: readonly number[]; readonly data: BigInt64Array }
  | { readonly type: "uint8"; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly type: "bool"; readonly dims: readonly number[]; readonly data: Uint8Array };

/** Name, element type and shape of an input or output; a string or −1… is never used: unknown is `undefined`. */
export interface Port {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly (number | undefined)[];
}

export interface LoadOptions {
  /** Threads for one run. @default chosen by the engine */
  readonly threads?: number | undefined;
  /** Engine-specific device name: `cpu`, `cuda`, `webgpu`, `wasm`, … @default the engine's best */
  readonly device?: string | undefined;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
}

export type Feeds = Readonly<Record<string, EngineTensor>>;

export interface Session extends AsyncDisposable {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly run: (feeds: Feeds, options?: RunOptions) => Promise<Feeds>;
}

export interface Engine {
  readonly name: string;
  /** @throws {ModelError} where the bytes are no model that this engine can run. */
  readonly load: (model: Uint8Array, options?: LoadOptions) => Promise<Session>;
}
