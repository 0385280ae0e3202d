/**
 * Every failure that has a name: what it means, its HTTP status and its exit status.
 *
 * A class with a code exists only where someone catches it differently; the classes live beside the code that
 * throws them. {@link describe} turns whatever was thrown into one sentence.
 */

/** Exit statuses of the command line. */
export const EXIT = {
  done: 0,
  someFailed: 1,
  usage: 2,
  nothingReadable: 3,
  cancelled: 130,
} as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorEntry {
  readonly meaning: string;
  readonly http: number;
  /** Exit status of a run in which nothing but this happened. */
  readonly exit: ExitStatus;
}

export type ErrorCode =
  | "ERR_SETTINGS"
  | "ERR_MODEL"
  | "ERR_SCENE"
  | "ERR_RESOLUTION"
  | "ERR_LABELS"
  | "ERR_OUTPUT"
  | "ERR_TRAINING"
  | "ERR_SHAPE"
  | "ERR_DEVICE"
  | "ERR_CANCELLED"
  | "ERR_INTERNAL";

/** Code → what it means at the edges. The README shows this table. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  ERR_SETTINGS: {
    meaning: "A setting, flag or argument is unknown, out of range, or does not fit the others.",
    http: 400,
    exit: EXIT.usage,
  },
  ERR_MODEL: {
    meaning: "The model is unknown, broken, or no detector that Nadir can read.",
    http: 422,
    exit: EXIT.usage,
  },
  ERR_SCENE: {
    meaning: "The input is no scene, or its bytes cannot be read.",
    http: 422,
    exit: EXIT.nothingReadable,
  },
  ERR_RESOLUTION: {
    meaning: "Scene and model lie too far apart in ground resolution.",
    http: 422,
    exit: EXIT.someFailed,
  },
  ERR_LABELS: {
    meaning: "A label or result file does not follow its format.",
    http: 422,
    exit: EXIT.nothingReadable,
  },
  ERR_TRAINING: {
    meaning: "Training cannot start or go on: the set is empty, or the loss is no number any more.",
    http: 500,
    exit: EXIT.someFailed,
  },
  ERR_OUTPUT: {
    meaning: "An output cannot be written, or is there already.",
    http: 507,
    exit: EXIT.someFailed,
  },
  ERR_SHAPE: {
    meaning: "Tensors of one computation do not fit each other.",
    http: 422,
    exit: EXIT.someFailed,
  },
  ERR_DEVICE: {
    meaning: "The engine's device is missing, was lost, or ran out of memory.",
    http: 503,
    exit: EXIT.someFailed,
  },
  ERR_CANCELLED: {
    meaning: "The run was cancelled; what was finished is on disk and is resumed.",
    http: 499,
    exit: EXIT.cancelled,
  },
  ERR_INTERNAL: {
    meaning: "A mistake in Nadir itself; --verbose shows where.",
    http: 500,
    exit: EXIT.someFailed,
  },
};

/** A failure, ready for a terminal, a report or a problem document. */
export interface Described {
  readonly code: ErrorCode;
  /** One line. */
  readonly sentence: string;
  readonly http: number;
  readonly exit: ExitStatus;
}

/** Failures of the operating system and the network, in words. `{path}` is what was asked for. */
const SYSTEM: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["ERR_SCENE", "{path}: there is no such file"],
  EACCES: ["ERR_SCENE", "{path}: no permission"],
  EPERM: ["ERR_SCENE", "{path}: no permission"],
  EISDIR: ["ERR_SCENE", "{path}: is a folder, not a file"],
  ENOTDIR: ["ERR_SCENE", "{path}: part of the path is a file, not a folder"],
  EMFILE: ["ERR_INTERNAL", "{path}: too many files are open at once"],
  EIO: ["ERR_SCENE", "{path}: the disk failed while reading"],
  ENOSPC: ["ERR_OUTPUT", "{path}: the disk is full"],
  EDQUOT: ["ERR_OUTPUT", "{path}: the disk quota is used up"],
  EROFS: ["ERR_OUTPUT", "{path}: the disk is read-only"],
  EEXIST: ["ERR_OUTPUT", "{path}: is there already"],
  ENOTFOUND: ["ERR_SCENE", "{path}: there is no such host"],
  EAI_AGAIN: ["ERR_SCENE", "{path}: the host's name could not be looked up"],
  ECONNREFUSED: ["ERR_SCENE", "{path}: the host refused the connection"],
  ECONNRESET: ["ERR_SCENE", "{path}: the host closed the connection"],
  ETIMEDOUT: ["ERR_SCENE", "{path}: the host did not answer in time"],
};

/**
 * One sentence, a code and both statuses for anything that was thrown. An error without a known code is looked
 * up by its causes; one that nobody named is `ERR_INTERNAL`.
 */
export function describe(error: unknown): Described {
  for (const one of causes(error)) {
    const code = codeOf(one);
    if (code !== undefined && isErrorCode(code)) return entry(code, sentenceOf(error));
    const system = code === undefined ? undefined : SYSTEM[code];
    if (system !== undefined) {
      const own = one === error ? "" : sentenceOf(error);
      return entry(
        system[0],
        own === "" || own === sentenceOf(one) ? inWords(one, system[1]) : own,
      );
    }
    if (nameOf(one) === "AbortError") return entry("ERR_CANCELLED", "cancelled");
    if (nameOf(one) === "TimeoutError") return entry("ERR_SCENE", sentenceOf(error));
  }
  return entry("ERR_INTERNAL", sentenceOf(error));
}

const entry = (code: ErrorCode, sentence: string): Described => ({
  code,
  sentence,
  http: ERRORS[code].http,
  exit: ERRORS[code].exit,
});

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** The error and what caused it, at most eight deep. */
function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  let next = error;
  while (next !== undefined && next !== null && chain.length < 8) {
    chain.push(next);
    next = member(next, "cause");
  }
  return chain;
}

const member = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;

function codeOf(error: unknown): string | undefined {
  const code = member(error, "code");
  return typeof code === "string" ? code : undefined;
}

const nameOf = (error: unknown): unknown => member(error, "name");

/** The message on one line, without a stack. */
function sentenceOf(error: unknown): string {
  const message = member(error, "message");
  const words = typeof message === "string" && message !== "" ? message : shown(error);
  return words.replaceAll(/\s+/g, " ").trim().slice(0, 500);
}

const shown = (value: unknown): string =>
  typeof value === "string" ? value : String(nameOf(value) ?? value);

function inWords(error: unknown, template: string): string {
  const path = member(error, "path") ?? member(error, "hostname");
  return template.replace("{path}", typeof path === "string" ? path : "the system");
}
