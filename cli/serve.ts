/** `nadir serve`: detection over HTTP. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { SettingsError } from "../pipeline/index.ts";
import { buildServer, DEFAULT_LIMITS, type Limits, listen, readTokens } from "../web/index.ts";
import type { CliContext } from "./command.ts";
import { addSettings, settingsFromFlags, settingsIn } from "./flags.ts";
import { type Io, locate } from "./io.ts";

interface ServeFlags extends Record<string, unknown> {
  readonly host: string;
  readonly port: string;
  readonly models?: string;
  readonly data: string;
  readonly tokenFile?: string;
  readonly allowHost?: readonly string[];
  readonly corsOrigin?: readonly string[];
  readonly page?: string;
  readonly quiet?: boolean;
}

/** Flag → limit, what its number counts, and how it is explained. */
const LIMIT_FLAGS: readonly (readonly [
  flag: string,
  name: keyof Limits,
  unit: number,
  doc: string,
])[] = [
  ["max-upload-mb", "uploadBytes", 1e6, "Largest file of a job, megabytes."],
  ["max-sync-mb", "syncBytes", 1e6, "Largest file that is answered at once, megabytes."],
  ["max-sync-mpx", "syncPixels", 1e6, "Largest scene that is answered at once, megapixels."],
  ["max-photo-mpx", "photoPixels", 1e6, "Largest photo, megapixels; TIFFs may be of any size."],
  ["concurrency", "active", 1, "Requests that detect at once."],
  ["queue", "waiting", 1, "Requests that wait for their turn; more are turned away."],
  ["jobs", "jobs", 1, "Jobs under way at once."],
  ["max-jobs", "queuedJobs", 1, "Jobs that are not finished; more are turned away."],
  ["keep-hours", "keepMs", 3600e3, "How long a finished job is kept, hours."],
  ["disk-gb", "diskBytes", 1e9, "Disk space of all uploads and results, gigabytes."],
  ["rate-limit", "perMinute", 1, "Requests a minute of one token or address; 0: any number."],
  ["share", "batch", 1, "Tiles of different requests that may share a run of the model."],
  ["max-memory-mb", "memoryBytes", 1e6, "Memory beyond which requests are turned away; 0: never."],
];

export function declareServe(command: Command, { io }: CliContext): void {
  const gather = (text: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    text,
  ];
  command
    .option(
      "--host <address>",
      "Where to listen; one that others can reach needs --token-file.",
      "127.0.0.1",
    )
    .option("-p, --port <number>", "Port; 0: any that is free.", "8080")
    .option(
      "--models <folder>",
      "Detectors, *.onnx, looked at again and again. Default: those that come with Nadir.",
    )
    .option("--data <folder>", "Where uploads, jobs and results live.", "nadir-data")
    .option("--token-file <file>", "Tokens, one a line; every request must bring one.")
    .option(
      "--allow-host <host>",
      "A host that url may name: example.org, *.example.org. Again for more.",
      gather,
    )
    .option("--cors-origin <origin>", "An origin whose pages may call. Again for more.", gather)
    .option("--page <folder>", "A page to show at /; the demo, where it is built.")
    .option("--quiet", "Logs nothing.");
  for (const [flag, name, unit, doc] of LIMIT_FLAGS) {
    command.option(`--${flag} <number>`, `${doc} Default: ${DEFAULT_LIMITS[name] / unit}.`);
  }
  addSettings(command, [...settingsIn("engine"), "batch", "head", "classes"]);
  command.action(async (flags: ServeFlags) => {
    await serve(io, command, flags);
  });
}

async function serve(io: Io, command: Command, flags: ServeFlags): Promise<void> {
  const models = flags.models === undefined ? undefined : locate(io, flags.models);
  if (models && statSync(models, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new SettingsError(`serve: --models must be a folder, received ${flags.models}`);
  }
  const data = locate(io, flags.data);
  mkdirSync(data, { recursive: true });
  const port = number("port", flags.port, 65_535);
  const tokens = flags.tokenFile === undefined ? [] : readTokens(locate(io, flags.tokenFile));
  const app = buildServer({
    models,
    data,
    tokens,
    settings: settingsFromFlags(command),
    allowHosts: flags.allowHost,
    corsOrigins: flags.corsOrigin,
    page: flags.page === undefined ? builtPage() : locate(io, flags.page),
    log: flags.quiet === true ? false : { write: io.stderr.write },
    limits: limitsFrom(flags),
  });
  const address = await listen(app, { host: flags.host, port, hasTokens: tokens.length > 0 });
  io.stderr.write(`nadir serves at ${address}; documentation at ${address}/docs\n`);
  await interrupted(io);
  io.stderr.write("finishing what is in hand; press Ctrl-C again to stop at once\n");
  await app.close();
}

/** The demo of this package, where it has been built. */
const builtPage = (): string | undefined =>
  ["../demo", "../dist/demo"]
    .map((folder) => join(import.meta.dirname, folder))
    .find((folder) => existsSync(join(folder, "index.html")));

/** Resolves at the first Ctrl-C; a second one ends the process. */
function interrupted(io: Io): Promise<void> {
  let count = 0;
  return new Promise((resolve) => {
    io.onInterrupt(() => (++count === 1 ? resolve() : io.exit(130)));
  });
}

function limitsFrom(flags: ServeFlags): Partial<Limits> {
  const said = LIMIT_FLAGS.flatMap(([flag, name, unit]) => {
    const text = flags[flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    return typeof text === "string" ? [[name, number(flag, text, 1e9) * unit] as const] : [];
  });
  return Object.fromEntries(said);
}

function number(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= most) return value;
  throw new SettingsError(`serve: --${flag} must be a number from 0 to ${most}, received ${text}`);
}
