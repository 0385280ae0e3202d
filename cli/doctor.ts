/** `nadir doctor`: what this machine can do. */
import { availableParallelism, freemem, totalmem } from "node:os";
import type { Command } from "commander";
import { VERSION } from "../pipeline/index.ts";
import type { CliContext } from "./command.ts";
import { bytes, table } from "./say.ts";

export function declareDoctor(command: Command, { io }: CliContext): void {
  command
    .option("--json", "prints the facts as JSON")
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const facts = await examine();
      io.stdout.write(
        json ? `${JSON.stringify(facts, null, 2)}\n` : `${table(Object.entries(facts))}\n`,
      );
    });
}

async function examine(): Promise<Record<string, string>> {
  return {
    nadir: VERSION,
    node: process.version,
    system: `${process.platform} ${process.arch}`,
    cores: String(availableParallelism()),
    memory: `${bytes(freemem())} free of ${bytes(totalmem())}`,
  };
}
