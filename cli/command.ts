/** What a command of the program is. One file a command; `main.ts` lists them. */
import type { Command } from "commander";
import { EXIT, type ExitStatus } from "../pipeline/index.ts";
import type { Io } from "./io.ts";

export interface CliContext {
  readonly io: Io;
  /** What the command ends with. @default done */
  readonly finish: (status: ExitStatus) => void;
}

/** Declares arguments, flags and action on a fresh sub-command. */
export type DeclareCommand = (command: Command, context: CliContext) => void;

export interface CliCommand {
  /** One line of `nadir --help`. */
  readonly summary: string;
  /** Only the command that is called is loaded. */
  readonly load: () => Promise<DeclareCommand>;
}

/** How a batch ends: done, some failed, or not one scene could be read. */
export function endOfBatch(scenes: number, failed: number): ExitStatus {
  if (scenes === 0 || failed === scenes) return EXIT.nothingReadable;
  return failed > 0 ? EXIT.someFailed : EXIT.done;
}
