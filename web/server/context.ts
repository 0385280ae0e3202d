/** What the routes of one server share. */
import type {} from "@fastify/multipart"; // what these add to the types of requests
import type {} from "@fastify/swagger";
import type { Disk } from "./jobs/disk.ts";
import type { JobRunner } from "./jobs/runner.ts";
import type { JobStore } from "./jobs/store.ts";
import type { Metrics } from "./metrics.ts";
import type { Registry } from "./models/registry.ts";
import type { Limits, ServerOptions } from "./options.ts";
import type { Claim } from "./requests/claim.ts";
import type { ReceivedFile } from "./requests/receive.ts";
import type { Gate } from "./security/gate.ts";

export interface ServerContext {
  readonly options: ServerOptions;
  readonly limits: Limits;
  readonly registry: Registry;
  readonly store: JobStore;
  readonly runner: JobRunner;
  readonly gate: Gate;
  readonly disk: Disk;
  readonly claim: () => Claim;
  readonly metrics: Metrics;
  /** Aborted when the server goes down. */
  readonly closing: AbortSignal;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Whose token came with the request; `anyone` where the server is open. */
    owner: string;
    /** Aborted when the client goes away. */
    gone: AbortSignal;
    /** The folder of this request's upload, removed when the answer is out; a job takes it over. */
    folder: string | undefined;
    upload: ReceivedFile | undefined;
    claim: Claim | undefined;
  }
}
