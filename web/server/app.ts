/** The service: everything but the socket. */
import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import multipart from "@fastify/multipart";
import rateLimit from "@fastify/rate-limit";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import underPressure from "@fastify/under-pressure";
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { ServerContext } from "./context.ts";
import { answerErrors } from "./answer-errors.ts";
import { documentApi } from "./document.ts";
import { createDisk } from "./jobs/disk.ts";
import { startJanitor } from "./jobs/janitor.ts";
import { lockFolder } from "./jobs/lock.ts";
import { createRunner } from "./jobs/runner.ts";
import { createJobStore } from "./jobs/store.ts";
import { createMetrics } from "./metrics.ts";
import { createRegistry } from "./models/registry.ts";
import { findSources } from "./models/sources.ts";
import { DEFAULT_LIMITS, type Limits, type ServerOptions } from "./options.ts";
import { RequestError } from "./problem.ts";
import { clearUploads } from "./requests/accept.ts";
import { claims } from "./requests/claim.ts";
import { detectRoutes } from "./routes/detect.ts";
import { healthRoutes, metricRoutes } from "./routes/health.ts";
import { inferenceRoutes } from "./routes/inference.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { modelRoutes } from "./routes/models.ts";
import { pageRoutes } from "./routes/page.ts";
import { createGate } from "./security/gate.ts";
import { endStalledRequests } from "./security/stall.ts";
import { guard } from "./security/guard.ts";

/**
 * Builds the server. Jobs go on and models load once it is ready; `close` finishes what is in hand and keeps the rest
 * for the next start.
 */
export function buildServer(given: ServerOptions): FastifyInstance {
  const { data, models } = given;
  const options = { ...given, data: resolve(data), models: models && resolve(models) };
  const limits: Limits = { ...DEFAULT_LIMITS, ...given.limits };
  const app = Fastify(frame(options, limits));
  const closing = new AbortController();
  const context = createContext(app, options, limits, closing.signal);
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  answerErrors(app, foldersOf(options));
  void app.register(helmet);
  if (options.corsOrigins !== undefined)
    void app.register(cors, { origin: [...options.corsOrigins] });
  if (limits.perMinute > 0) {
    void app.register(rateLimit, {
      max: limits.perMinute,
      timeWindow: 60_000,
      hook: "preParsing",
      keyGenerator: ({ owner, ip }) => (owner === "anyone" ? ip : owner),
      allowList: (request) => request.routeOptions.config.open === true,
    });
  }
  void app.register(multipart);
  documentApi(app);
  shedLoad(app, limits);
  guard(app, options.tokens ?? []);
  endStalledRequests(app, limits);
  clearUploads(app);
  measure(app, context);
  void app.register(async (routes) => {
    detectRoutes(routes, context);
    jobRoutes(routes, context);
    modelRoutes(routes, context);
    healthRoutes(routes, context);
    metricRoutes(routes, context);
  });
  void app.register(async (routes) => pageRoutes(routes, options.page));
  void app.register(async (routes) => inferenceRoutes(routes, context));
  live(app, context, closing);
  return app;
}

/** What no sentence to a stranger may name. */
const foldersOf = ({ data, models, shipped }: ServerOptions): readonly string[] =>
  [data, models, shipped].filter((folder) => folder !== undefined);

function frame({ log = false }: ServerOptions, limits: Limits): FastifyServerOptions {
  const redact = ["req.headers.authorization", "req.headers.cookie"];
  const stream = typeof log === "object" ? { stream: log } : {};
  return {
    logger: log === false ? false : { level: "info", redact, ...stream },
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 200 },
    http: {
      headersTimeout: limits.headMs,
      connectionsCheckingInterval: Math.min(1000, limits.headMs),
    },
  } as FastifyServerOptions;
}

function createContext(
  app: FastifyInstance,
  options: ServerOptions,
  limits: Limits,
  closing: AbortSignal,
): ServerContext {
  const metrics = createMetrics();
  const settings = options.settings ?? {};
  const { models: folder, shipped } = options;
  const registry = createRegistry({
    find: () => findSources({ folder, shipped, batch: settings.batch ?? 1 }),
    hide: foldersOf(options),
    ...{ settings, limits },
    onRun: metrics.batch,
  });
  const store = createJobStore(options.data);
  const disk = createDisk(options.data, limits.diskBytes);
  const runner = createRunner({
    ...options,
    ...{ store, registry, limits, reserve: disk.reserve },
    onError: (error, id) => app.log.error({ err: error, job: id }, "job"),
  });
  const gate = createGate(limits);
  const { gauge } = metrics;
  gauge("nadir_active_requests", "Requests that detect now.", gate.active);
  gauge("nadir_waiting_requests", "Requests that wait for a place.", gate.waiting);
  gauge("nadir_refused_requests", "Requests turned away since the start.", gate.turnedAway);
  gauge("nadir_running_jobs", "Jobs under way.", runner.running);
  gauge("nadir_waiting_tiles", "Runs that wait for a model.", () =>
    registry.list().reduce((sum, { model }) => sum + (model?.waiting() ?? 0), 0),
  );
  gauge("nadir_disk_bytes", "Bytes of uploads and results.", disk.usedBytes);
  const claim = claims(disk, limits);
  return { options, limits, registry, store, runner, gate, disk, claim, metrics, closing };
}

/** Turns requests away while the process holds more memory than it may. */
function shedLoad(app: FastifyInstance, { memoryBytes }: Limits): void {
  if (memoryBytes === 0) return;
  void app.register(underPressure, {
    maxRssBytes: memoryBytes,
    customError: class extends RequestError {
      constructor() {
        super("ERR_BUSY", "the server holds all the memory that it may", 10);
      }
    },
  });
}

function measure(app: FastifyInstance, { metrics }: ServerContext): void {
  app.addHook("onResponse", async ({ routeOptions, method }, reply) => {
    metrics.request(routeOptions.url ?? "none", method, reply.statusCode, reply.elapsedTime / 1000);
  });
}

/** What begins when the server is ready and ends when it closes. */
function live(app: FastifyInstance, context: ServerContext, closing: AbortController): void {
  const { store, disk, registry, runner, limits, options } = context;
  const onError = (error: unknown): void => app.log.error({ err: error }, "housekeeping");
  const stops: (() => void)[] = [];
  const ends: (() => void)[] = [];
  app.addHook("onReady", async () => {
    await mkdir(options.data, { recursive: true });
    ends.push(lockFolder(options.data));
    await store.open();
    await disk.measure();
    await registry.scan();
    await runner.start();
    const janitor = startJanitor(context, limits.keepMs, onError);
    const rescan = setInterval(() => void registry.scan().catch(onError), limits.rescanMs);
    rescan.unref();
    stops.push(janitor.stop, () => clearInterval(rescan));
  });
  app.addHook("preClose", async () => {
    closing.abort();
    for (const stop of stops) stop();
    await runner.stop();
  });
  app.addHook("onClose", async () => {
    await registry[Symbol.asyncDispose]();
    for (const end of ends) end();
  });
}
