/** A request becomes a job, once: a repeated request with the same key is given the first one's job. */
import { createHash } from "node:crypto";
import { resolveSettings, settingsOfModel, type SettingsInput } from "../../../pipeline/index.ts";
import type { ServerContext } from "../context.ts";
import { RequestError } from "../problem.ts";
import { safeFileName } from "../requests/file-name.ts";
import type { ReceivedFile } from "../requests/receive.ts";
import { checkUrl } from "../security/addresses.ts";
import { isFinished, type JobRecord } from "./record.ts";
import { newId } from "./store.ts";

export interface Submission {
  readonly owner: string;
  readonly key: string | undefined;
  readonly settings: SettingsInput;
  readonly model: string | undefined;
  readonly url: string | undefined;
  readonly upload: ReceivedFile | undefined;
  /** Holds the upload; becomes the job's. */
  readonly folder: string;
}

/** Says no before an upload is received. @throws {RequestError} `ERR_BUSY` */
export function checkQueue({ store, limits }: Pick<ServerContext, "store" | "limits">): void {
  const open = store.list().filter((record) => !isFinished(record)).length;
  if (open < limits.queuedJobs) return;
  throw new RequestError("ERR_BUSY", `the queue must have room, it holds ${open} jobs`, 30);
}

/**
 * Accepts the job; it is on disk when this returns.
 *
 * @returns the job, and whether it is a new one
 * @throws {RequestError | SettingsError | ModelError} where it could only fail later
 */
export async function submit(
  submission: Submission,
  { store, runner, registry, options }: ServerContext,
): Promise<{ readonly record: JobRecord; readonly isNew: boolean }> {
  const { owner, key, settings, upload, url, folder } = submission;
  using lease = await registry.lease(submission.model);
  const { card } = lease.model.exact;
  resolveSettings({ option: settings, config: options.settings, model: settingsOfModel(card) });
  if ((upload === undefined) === (url === undefined)) {
    throw new RequestError("ERR_REQUEST", "form: must hold a file or a url, and not both");
  }
  const address = url === undefined ? undefined : checkUrl(url, options.allowHosts ?? []);
  const fingerprint = sha256(
    JSON.stringify([upload?.sha256 ?? url, upload?.name, submission.model, settings]),
  );
  const before = key === undefined ? undefined : known(store.list(), owner, key);
  if (before !== undefined) return { record: same(before, fingerprint), isNew: false };
  using _ = hold(key && `${owner} ${key}`);
  const record: JobRecord = {
    id: newId(),
    owner,
    state: "queued",
    createdAt: new Date().toISOString(),
    crashes: 0,
    model: { id: lease.model.id, version: lease.model.version },
    settings,
    source: upload
      ? { name: upload.name, bytes: upload.bytes, sha256: upload.sha256 }
      : { name: safeFileName(address?.pathname), ...(url !== undefined && { url }) },
    ...(key !== undefined && { idempotencyKey: key }),
    fingerprint,
  };
  await store.accept(record, folder);
  const log = await runner.events(record.id);
  await log.append("state", { state: "queued" });
  runner.wake();
  return { record, isNew: true };
}

/** Keys of requests that are about to become jobs. */
const held = new Set<string>();

function hold(key: string | undefined): Disposable {
  if (key === undefined) return { [Symbol.dispose]: () => {} };
  if (held.has(key)) {
    throw new RequestError("ERR_CONFLICT", "a request with this Idempotency-Key is under way", 1);
  }
  held.add(key);
  return { [Symbol.dispose]: () => void held.delete(key) };
}

const known = (records: readonly JobRecord[], owner: string, key: string): JobRecord | undefined =>
  records.find((record) => record.idempotencyKey === key && record.owner === owner);

function same(before: JobRecord, fingerprint: string): JobRecord {
  if (before.fingerprint === fingerprint) return before;
  throw new RequestError(
    "ERR_IDEMPOTENCY",
    "the Idempotency-Key must be a new one, it came before with another request",
  );
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
