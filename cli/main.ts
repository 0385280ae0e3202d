/** The command line: finds the command, runs it, and turns whatever happens into an exit status. */
import { Command, CommanderError } from "commander";
import { describe, EXIT, type ExitStatus, VERSION } from "../pipeline/index.ts";
import type { CliCommand, CliContext } from "./command.ts";
import type { Io } from "./io.ts";
import { colorsFor } from "./say.ts";

/** Name → command, in the order of the help page. */
export const COMMANDS: Readonly<Record<string, CliCommand>> = {
  detect: {
    summary: "Finds objects in scenes and writes them as map features.",
    load: async () => (await import("./detect.ts")).declareDetect,
  },
  plan: {
    summary: "Says what detect would do, and what it would cost.",
    load: async () => (await import("./plan.ts")).declarePlan,
  },
  info: {
    summary: "Says what a scene is: size, bands, CRS, resolution.",
    load: async () => (await import("./info.ts")).declareInfo,
  },
  model: {
    summary: "Says what a model file is, and how its outputs are read.",
    load: async () => (await import("./model.ts")).declareModel,
  },
  render: {
    summary: "Draws the objects of a result into their scene.",
    load: async () => (await import("./render.ts")).declareRender,
  },
  convert: {
    summary: "Converts labels between formats, and results to other outputs.",
    load: async () => (await import("./convert.ts")).declareConvert,
  },
  serve: {
    summary: "Offers detection over HTTP.",
    load: async () => (await import("./serve.ts")).declareServe,
  },
  eval: {
    summary: "Scores results, or a model on labelled images.",
    load: async () => (await import("./eval.ts")).declareEval,
  },
  demo: {
    summary: "Makes a sample scene, detects in it, and counts what was found.",
    load: async () => (await import("./demo.ts")).declareDemo,
  },
  train: {
    summary: "Trains a detector on labelled images.",
    load: async () => (await import("./train.ts")).declareTrain,
  },
  models: {
    summary: "Lists the detectors that come with Nadir.",
    load: async () => (await import("./models.ts")).declareModels,
  },
  export: {
    summary: "Writes a shipped or trained model as an ONNX file.",
    load: async () => (await import("./export.ts")).declareExport,
  },
  doctor: {
    summary: "Says what this machine can do, and what is missing.",
    load: async () => (await import("./doctor.ts")).declareDoctor,
  },
};

/**
 * Runs one command.
 *
 * @returns 0 done, 1 some scenes failed, 2 usage, 3 nothing readable, 130 cancelled
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.done;
  const context: CliContext = { io, finish: (ended) => void (status = ended) };
  try {
    const program = await createProgram(argv, context);
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    return explain(error, argv, io);
  }
}

/** The whole program; only the command that `argv` calls knows its flags. */
export async function createProgram(
  argv: readonly string[],
  context: CliContext,
): Promise<Command> {
  const { stdout, stderr } = context.io;
  const program = new Command("nadir")
    .description("Finds objects in satellite and aerial imagery.")
    .version(VERSION, "-V, --version", "Prints the version.")
    .option("--verbose", "Shows where in the code a failure arose.")
    .helpOption("-h, --help", "Shows this help.")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: stdout.write,
      writeErr: stderr.write,
      getOutHelpWidth: () => Math.min(stdout.columns, 100),
      getErrHelpWidth: () => Math.min(stderr.columns, 100),
      outputError: (text, write) => write(sentence(text)),
    });
  const called = argv.find((argument) => !argument.startsWith("-"));
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(summary);
    if (name === called) (await load())(command, context);
  }
  return program;
}

/** Commander's complaint in the form of all our errors, on one line. */
function sentence(text: string): string {
  const words = text.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  return `nadir: ${words.trim()}\n`;
}

function explain(error: unknown, argv: readonly string[], io: Io): ExitStatus {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const { sentence: words, exit } = describe(error);
  const { red } = colorsFor(io.stderr, io.env);
  io.stderr.write(`${red("nadir:")} ${words}\n`);
  if (argv.includes("--verbose") && error instanceof Error) io.stderr.write(`${error.stack}\n`);
  return exit;
}
