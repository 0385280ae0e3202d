/** What is kept of a job. */
import type { SettingsInput } from "../../../pipeline/index.ts";

export const JOB_STATES = ["queued", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** `job.json`: written when the state changes, beside its final name and renamed. */
export interface JobRecord {
  readonly id: string;
  /** Whose token it was; jobs of others cannot be seen. */
  readonly owner: string;
  readonly state: JobState;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** How often in a row work on it was cut off by a crash without having got further. */
  readonly crashes: number;
  /** Size of its tile journal after the last crash. */
  readonly keptBytes?: number;
  readonly model: { readonly id: string; readonly version?: string };
  readonly settings: SettingsInput;
  /** The uploaded file, or where it is to be fetched from. */
  readonly source: {
    readonly name: string;
    readonly bytes?: number;
    readonly sha256?: string | undefined;
    readonly url?: string;
  };
  readonly idempotencyKey?: string;
  /** Of the whole request: a repeated one has the same. */
  readonly fingerprint: string;
  readonly counts?: Counts;
  readonly failure?: { readonly code: string; readonly detail: string };
  /** Names of the files in the folder of results. */
  readonly outputs?: readonly string[];
}

export interface Counts {
  readonly objects: number;
  readonly raw: number;
  readonly byClass: Readonly<Record<string, number>>;
}

/** Where a running job stands; not kept. */
export interface JobProgress {
  readonly done: number;
  readonly total: number;
  readonly objects: number;
  /** Tiles a second since this process began with it. */
  readonly rate?: number;
  readonly etaS?: number;
}

export const isFinished = ({ state }: Pick<JobRecord, "state">): boolean =>
  state === "done" || state === "failed" || state === "cancelled";
