/** What a server is told when it is built. */
import type { SettingsInput } from "../../pipeline/index.ts";

export interface ServerOptions {
  /** Folder of detectors, `*.onnx`; the name without the ending is a model's id. @default none: the built-in ones */
  readonly models?: string | undefined;
  /** Folder of shipped models, which are served beside. @default the package's */
  readonly shipped?: string | undefined;
  /** Folder in which uploads, jobs and results live. */
  readonly data: string;
  /** Where there is one, all routes but health and documentation ask for it. @default none: open */
  readonly tokens?: readonly string[] | undefined;
  /** Settings that requests start from, under the model's own suggestions: engine, threads, batch. */
  readonly settings?: SettingsInput | undefined;
  /** Hosts that `url` may name: `example.org`, `*.example.org`, `10.0.0.7:8080`. @default none */
  readonly allowHosts?: readonly string[] | undefined;
  /** Origins of pages that may call. @default none */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Lines of JSON to standard error. @default false */
  readonly log?: boolean | { readonly write: (line: string) => void } | undefined;
  /** Folder of a page to show at `/`. @default links as JSON */
  readonly page?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

export interface Limits {
  /** Largest file of a job. */
  readonly uploadBytes: number;
  /** Largest file that is answered at once. */
  readonly syncBytes: number;
  /** Most pixels of a scene that is answered at once. */
  readonly syncPixels: number;
  /** Most pixels of a photo, which is decoded as a whole. */
  readonly photoPixels: number;
  /** Most pixels of a block of a TIFF, which is decoded as a whole. */
  readonly blockPixels: number;
  /** Largest body of a request that is no upload: JSON, and tensors of the inference protocol. */
  readonly bodyBytes: number;
  /** Requests that detect at once, and that wait for it; more are turned away. */
  readonly active: number;
  readonly waiting: number;
  /** Jobs under way at once, and in the queue. */
  readonly jobs: number;
  readonly queuedJobs: number;
  /** How long a finished job is kept. */
  readonly keepMs: number;
  /** Files that are answered at once stay in memory up to this size, and all of them together up to this one. */
  readonly heldFileBytes: number;
  readonly heldBytes: number;
  /** Bytes of all uploads and results together. */
  readonly diskBytes: number;
  /** Requests of one token, or of one address, in a minute; 0: any number. */
  readonly perMinute: number;
  /** Tiles of different requests that share a run of the model. */
  readonly batch: number;
  /** A request that sends less than `stallBytes` in this time is ended. */
  readonly stallMs: number;
  readonly stallBytes: number;
  /** How long the head of a request may take. */
  readonly headMs: number;
  /** How long a download by address may take. */
  readonly fetchMs: number;
  /** Resident memory beyond which requests are turned away; 0: never. */
  readonly memoryBytes: number;
  /** How often the folder of models is looked at. */
  readonly rescanMs: number;
}

const [MB, GB] = [1e6, 1e9];

export const DEFAULT_LIMITS: Limits = {
  uploadBytes: 20 * GB,
  syncBytes: 64 * MB,
  syncPixels: 64e6,
  photoPixels: 400e6,
  blockPixels: 64e6,
  bodyBytes: 64 * MB,
  active: 4,
  waiting: 64,
  jobs: 1,
  queuedJobs: 1000,
  keepMs: 24 * 3600e3,
  heldFileBytes: 8 * MB,
  heldBytes: 64 * MB,
  diskBytes: 100 * GB,
  perMinute: 1200,
  batch: 8,
  stallMs: 20e3,
  stallBytes: 1024,
  headMs: 10e3,
  fetchMs: 600e3,
  memoryBytes: 0,
  rescanMs: 2000,
};
