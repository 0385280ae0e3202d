/**
 * Jobs on disk, a folder each:
 *
 *     ID/job.json       the record
 *     ID/upload/NAME    the scene
 *     ID/results/…      outputs, and the tile journal while the job runs
 *     ID/events.ndjson  what happened
 *
 * A job exists once its folder has its final name, and then survives whatever ends the process.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { JobRecord } from "./record.ts";

export interface JobStore {
  /** Reads what an earlier process left; unfinished uploads are removed. */
  readonly open: () => Promise<void>;
  /** A folder for a request that is being received. */
  readonly incoming: () => string;
  /** Makes the folder a job. It is on disk when this returns. */
  readonly accept: (record: JobRecord, folder: string) => Promise<void>;
  /** Changes the record, in memory at once and on disk when this returns. */
  readonly update: (id: string, change: Partial<JobRecord>) => Promise<JobRecord | undefined>;
  readonly get: (id: string) => JobRecord | undefined;
  /** The oldest first. */
  readonly list: () => readonly JobRecord[];
  readonly remove: (id: string) => Promise<void>;
  readonly folder: (id: string) => string;
}

/** Ids sort by time. */
export const newId = (): string =>
  `${Date.now().toString(36).padStart(9, "0")}-${randomBytes(8).toString("hex")}`;

export function createJobStore(data: string): JobStore {
  const jobs = join(data, "jobs");
  const incoming = join(data, "incoming");
  const records = new Map<string, JobRecord>();
  const writing = new Map<string, Promise<void>>();
  const folder = (id: string): string => join(jobs, id);

  /** One write of a record after the other: the last one wins. */
  const write = (id: string, where: string): Promise<void> => {
    const work = async (): Promise<void> => {
      const record = records.get(id);
      if (record !== undefined) await writeWhole(join(where, "job.json"), record);
    };
    const mine = (writing.get(id) ?? Promise.resolve()).then(work);
    writing.set(
      id,
      mine.catch(() => {}), // the caller hears of it
    );
    return mine;
  };
  return {
    open: async () => {
      await rm(incoming, { recursive: true, force: true });
      await mkdir(incoming, { recursive: true });
      await mkdir(jobs, { recursive: true });
      for (const id of (await readdir(jobs)).toSorted()) {
        const record = await readRecord(join(folder(id), "job.json"));
        if (record?.id === id) records.set(id, record);
        else await rm(folder(id), { recursive: true, force: true }); // its removal was cut off
      }
    },
    incoming: () => join(incoming, randomBytes(8).toString("hex")),
    accept: async (record, from) => {
      await mkdir(from, { recursive: true });
      await writeWhole(join(from, "job.json"), record);
      await rename(from, folder(record.id));
      await syncFolder(jobs);
      records.set(record.id, record);
    },
    update: async (id, change) => {
      const record = records.get(id);
      if (record === undefined) return undefined;
      const changed = { ...record, ...change };
      records.set(id, changed);
      await write(id, folder(id));
      return changed;
    },
    get: (id) => records.get(id),
    list: () => [...records.values()],
    remove: async (id) => {
      records.delete(id);
      await writing.get(id);
      writing.delete(id);
      // Without its record the folder is none of a job, should the rest be cut off.
      await rm(join(folder(id), "job.json"), { force: true });
      await rm(folder(id), { recursive: true, force: true });
    },
    folder,
  };
}

async function writeWhole(path: string, value: unknown): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w");
  try {
    await file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/** A new name in a folder is safe from a power cut only after this; Windows knows no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readRecord(path: string): Promise<JobRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as JobRecord; // written by us alone
  } catch {
    return undefined;
  }
}
