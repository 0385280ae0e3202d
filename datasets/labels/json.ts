/** Reading JSON of unknown form: each step says where it is and what it wants. */
import { LabelsError } from "./labels.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** @param source - the file, for the message. @throws {LabelsError} for text that is no JSON */
export function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LabelsError(`${source}: must be JSON, received text that is none (${why})`, {
      cause,
    });
  }
}

export function asObject(value: unknown, where: string): JsonObject {
  if (isObject(value)) return value;
  throw wrong(where, "an object", value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asArray(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(where, "a list", value);
}

export function asNumber(value: unknown, where: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw wrong(where, "a number", value);
}

export function asNumbers(value: unknown, where: string): readonly number[] {
  return asArray(value, where).map((item, i) => asNumber(item, `${where}[${i}]`));
}

export function asText(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  throw wrong(where, "text", value);
}

/** Undefined for a missing or `null` value. */
export function optional<T>(
  value: unknown,
  read: (value: unknown, where: string) => T,
  where: string,
): T | undefined {
  return value === undefined || value === null ? undefined : read(value, where);
}

function wrong(where: string, wanted: string, value: unknown): LabelsError {
  const came = JSON.stringify(value) ?? String(value);
  return new LabelsError(
    `${where}: must be ${wanted}, received ${came.length > 60 ? `${came.slice(0, 60)}…` : came}`,
  );
}
