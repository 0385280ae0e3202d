/** `nadir doctor`: what this machine can do, and what is missing. */
import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import type { Command } from "commander";
import { describe, EXIT, VERSION } from "../pipeline/index.ts";
import { NODE_ENGINES } from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { type Io, locate } from "./io.ts";
import { bytes, colorsFor, table } from "./say.ts";

interface Finding {
  readonly about: string;
  /** `missing`: Nadir works without; `broken`: it does not. */
  readonly state: "fine" | "missing" | "broken";
  readonly detail: string;
}

export function declareDoctor(command: Command, { io, finish }: CliContext): void {
  command
    .option("--json", "Prints the findings as JSON.")
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const findings = await examine(io);
      io.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : inWords(findings, io));
      if (findings.some(({ state }) => state === "broken")) finish(EXIT.someFailed);
    });
}

async function examine(io: Io): Promise<readonly Finding[]> {
  const engines = await Promise.all(Object.keys(NODE_ENGINES).map(examineEngine));
  const anyEngine = engines.some(({ state }) => state === "fine");
  return [
    fine("nadir", VERSION),
    fine("node", process.version),
    fine("system", `${process.platform} ${process.arch}, ${availableParallelism()} cores`),
    fine("memory", `${bytes(freemem())} free of ${bytes(totalmem())}`),
    await examineFolder(io),
    ...engines,
    ...(anyEngine
      ? []
      : [{ about: "engines", state: "broken" as const, detail: "none of them loads" }]),
    await examineSharp(),
  ];
}

const fine = (about: string, detail: string): Finding => ({ about, state: "fine", detail });

/** Results lie beside scenes: the folder one works in should be writable, and have room. */
async function examineFolder(io: Io): Promise<Finding> {
  const folder = locate(io, ".");
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    return fine("folder", `${io.cwd} is writable, ${bytes(bavail * bsize)} free`);
  } catch (error) {
    return { about: "folder", state: "missing", detail: describe(error).sentence };
  }
}

async function examineEngine(name: string): Promise<Finding> {
  try {
    const engine = await NODE_ENGINES[name]?.();
    const devices = (await engine?.devices()) ?? [];
    return fine(name, devices.length > 0 ? devices.join(", ") : "no device");
  } catch (error) {
    return { about: name, state: "missing", detail: describe(error).sentence };
  }
}

async function examineSharp(): Promise<Finding> {
  try {
    const { default: sharp } = await import("sharp");
    return fine("pictures", `sharp with libvips ${sharp.versions.vips}`);
  } catch (error) {
    const detail = `PNG, JPEG and WebP cannot be read or written: ${describe(error).sentence}`;
    return { about: "pictures", state: "missing", detail };
  }
}

function inWords(findings: readonly Finding[], io: Io): string {
  const colors = colorsFor(io.stdout, io.env);
  const marks = { fine: colors.green("✓"), missing: colors.yellow("!"), broken: colors.red("✗") };
  return `${table(findings.map(({ about, state, detail }) => [marks[state], about, detail]))}\n`;
}
