/** What Prometheus reads. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  readonly text: () => Promise<string>;
  readonly contentType: string;
  /** One answered request. */
  readonly request: (route: string, method: string, status: number, seconds: number) => void;
  /** Milliseconds by stage of one run. */
  readonly run: (timingsMs: Readonly<Record<string, number>>, objects: number) => void;
  /** Tiles of one run of a model. */
  readonly batch: (tiles: number) => void;
  /** A number that is asked for when the metrics are read. */
  readonly gauge: (name: string, help: string, value: () => number) => void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function createMetrics(): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const requests = new Histogram({
    name: "nadir_http_request_seconds",
    help: "Time from a request's head to the end of its answer.",
    labelNames: ["route", "method", "status"],
    buckets: SECONDS,
    registers,
  });
  const stages = new Histogram({
    name: "nadir_stage_seconds",
    help: "Time that a stage of a run was at work; stages overlap.",
    labelNames: ["stage"],
    buckets: SECONDS,
    registers,
  });
  const objects = new Counter({
    name: "nadir_objects_total",
    help: "Objects found, after merging.",
    registers,
  });
  const batches = new Histogram({
    name: "nadir_batch_tiles",
    help: "Tiles that shared a run of a model.",
    buckets: [1, 2, 4, 8, 16, 32],
    registers,
  });
  return {
    text: () => register.metrics(),
    contentType: register.contentType,
    request: (route, method, status, seconds) =>
      requests.observe({ route, method, status: String(status) }, seconds),
    run: (timingsMs, count) => {
      for (const [stage, ms] of Object.entries(timingsMs)) stages.observe({ stage }, ms / 1000);
      objects.inc(count);
    },
    batch: (tiles) => batches.observe(tiles),
    gauge: (name, help, value) => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    },
  };
}
