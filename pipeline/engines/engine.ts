/** What runs a network. Engines know nothing of detection. */
import { toOnnx } from "../../models/index.ts";
import type { Network } from "../../models/index.ts";

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
  /** As ONNX has it: `float32`, `float16`, `int64`, `uint8`, … */
  readonly type: string;
  readonly dims: readonly (number | undefined)[];
}

export interface LoadOptions {
  /** Threads for one run. @default chosen by the engine */
  readonly threads?: number | undefined;
  /** Engine-specific device name: `cpu`, `cuda`, `webgpu`, `wasm`, … @default the engine's best */
  readonly device?: string | undefined;
  /** Training graphs are run as they are written, with all cores: many small nodes, and nothing beside them. @default "inference" */
  readonly purpose?: "inference" | "training" | undefined;
}

export interface RunOptions {
  /** Stops before the next run; a run that has begun is finished, and its result dropped. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Feeds whose arrays nobody else needs: a run may take those that are whole buffers instead of copying them, and they
   * are then empty.
   */
  readonly gives?: ReadonlySet<string> | undefined;
}

export type Feeds = Readonly<Record<string, EngineTensor>>;

export interface Session extends AsyncDisposable {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Memory for a feed, its content of no meaning. The run that is fed an array of it, whole, takes it instead of copying
   * it: the array is then empty. Absent where nothing would be saved.
   */
  readonly allocate?: (length: number) => Float32Array;
  /**
   * Runs the network once. Calls may overlap; they are answered in order. A port of half precision takes and
   * gives float32, other number types come as the nearest of {@link EngineTensor}.
   *
   * @throws {ModelError} where the feeds do not fit the inputs or a node fails.
   * @throws {DeviceError} where the device is lost or out of memory.
   */
  readonly run: (feeds: Feeds, options?: RunOptions) => Promise<Feeds>;
}

export interface Engine {
  readonly name: string;
  /** Devices that this engine can be asked for; that their drivers are there shows only on loading. Best first. */
  readonly devices: () => Promise<readonly string[]>;
  /**
   * @throws {ModelError} where the bytes are no model that this engine can run.
   * @throws {DeviceError} where the device is missing.
   */
  readonly load: (model: Model, options?: LoadOptions) => Promise<Session>;
}

/** The bytes of an `.onnx` file, or a network of this library: its graph and weights. */
export type Model = Uint8Array | Network;

/** What engines that read files are given. */
export const bytesOf = (model: Model): Uint8Array =>
  model instanceof Uint8Array ? model : toOnnx(model.graph, model.weights);

export { DeviceError } from "../../attention/index.ts";
