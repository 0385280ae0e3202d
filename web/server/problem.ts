/** Failures as problem documents (RFC 9457): a stable code, one sentence, no stack. */
import Type, { type TSchema } from "typebox";
import { describe, ERRORS } from "../../pipeline/index.ts";

export type ServiceErrorCode =
  | "ERR_REQUEST"
  | "ERR_TOKEN"
  | "ERR_ADDRESS"
  | "ERR_NOT_FOUND"
  | "ERR_TIMEOUT"
  | "ERR_CONFLICT"
  | "ERR_TOO_LARGE"
  | "ERR_MEDIA_TYPE"
  | "ERR_IDEMPOTENCY"
  | "ERR_RATE"
  | "ERR_BUSY"
  | "ERR_QUOTA";

interface ServiceErrorEntry {
  readonly http: number;
  readonly meaning: string;
}

/** Failures that only a service has; all others stand in `ERRORS` of the pipeline. */
export const SERVICE_ERRORS: Readonly<Record<ServiceErrorCode, ServiceErrorEntry>> = {
  ERR_REQUEST: { http: 400, meaning: "The request is not formed as the API describes." },
  ERR_TOKEN: { http: 401, meaning: "A valid token is needed." },
  ERR_ADDRESS: { http: 403, meaning: "The server does not fetch from this address." },
  ERR_NOT_FOUND: { http: 404, meaning: "There is no such thing here." },
  ERR_TIMEOUT: { http: 408, meaning: "The request took too long to arrive." },
  ERR_CONFLICT: { http: 409, meaning: "What is asked for does not fit the present state." },
  ERR_TOO_LARGE: { http: 413, meaning: "The request is larger than the server allows." },
  ERR_MEDIA_TYPE: { http: 415, meaning: "The content is of a type that cannot be read here." },
  ERR_IDEMPOTENCY: { http: 422, meaning: "The Idempotency-Key belongs to another request." },
  ERR_RATE: { http: 429, meaning: "Too many requests in too little time." },
  ERR_BUSY: { http: 503, meaning: "The server has all the work that it can take." },
  ERR_QUOTA: { http: 507, meaning: "The disk space of the server is used up." },
};

/** All codes that a response can carry. */
export const PROBLEM_CODES: readonly string[] = [
  ...Object.keys(SERVICE_ERRORS),
  ...Object.keys(ERRORS),
];

/** The service says no. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: ServiceErrorCode;
  /** When to try again, in seconds. */
  readonly retryAfterS: number | undefined;
  constructor(code: ServiceErrorCode, message: string, retryAfterS?: number) {
    super(message);
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly param?: string;
  readonly error?: string;
}

export const ProblemSchema: TSchema = Type.Object(
  {
    type: Type.String({ description: "urn:nadir:error:CODE" }),
    title: Type.String({ description: "What the code means." }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: "What must hold, and what was received." }),
    code: Type.String({ pattern: "^ERR_[A-Z_]+$" }),
    param: Type.Optional(Type.String({ description: "The part of the request that is amiss." })),
    error: Type.Optional(Type.String({ description: "As `detail`, for inference protocol V2." })),
  },
  { $id: "Problem", description: "A problem document, RFC 9457." },
);

/** Statuses that the framework gives by itself. */
const BY_STATUS: Readonly<Record<number, ServiceErrorCode>> = {
  404: "ERR_NOT_FOUND",
  408: "ERR_TIMEOUT",
  413: "ERR_TOO_LARGE",
  415: "ERR_MEDIA_TYPE",
  429: "ERR_RATE",
  503: "ERR_BUSY",
};

/** Whatever was thrown, as a problem document. `hide` are folders of the server that no sentence may name. */
export function toProblem(error: unknown, hide: readonly string[] = []): Problem {
  const { code, http, detail } = identify(error);
  const meaning = SERVICE_ERRORS[code as ServiceErrorCode] ?? ERRORS[code as keyof typeof ERRORS];
  const param = paramOf(error);
  return {
    type: `urn:nadir:error:${code}`,
    title: meaning.meaning,
    status: http,
    detail: withoutFolders(detail, hide),
    code,
    ...(param !== undefined && { param }),
  };
}

function identify(error: unknown): {
  readonly code: string;
  readonly http: number;
  readonly detail: string;
} {
  if (error instanceof RequestError) {
    return { code: error.code, http: SERVICE_ERRORS[error.code].http, detail: error.message };
  }
  const { statusCode, message = "" } = error as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode >= 400 && (statusCode < 500 || statusCode === 503)) {
    const code = BY_STATUS[statusCode] ?? "ERR_REQUEST";
    return { code, http: SERVICE_ERRORS[code].http, detail: oneLine(message) };
  }
  const { code, http, sentence } = describe(error);
  const detail = code === "ERR_INTERNAL" ? "the server failed; its log says where" : sentence;
  return { code, http, detail };
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim().slice(0, 500);

/** Fastify's validation errors say which part they are about. */
function paramOf(error: unknown): string | undefined {
  const { validation, validationContext } = error as {
    validation?: readonly { readonly instancePath?: string }[];
    validationContext?: string;
  };
  if (validation === undefined) return undefined;
  return `${validationContext ?? ""}${validation[0]?.instancePath ?? ""}`;
}

/** Only the last part of paths below these folders. */
export function withoutFolders(sentence: string, folders: readonly string[]): string {
  return folders.reduce((text, folder) => {
    const escaped = folder.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    return text.replaceAll(new RegExp(`${escaped}(?:[\\\\/][^\\\\/:,]*)*[\\\\/]`, "g"), "");
  }, sentence);
}
