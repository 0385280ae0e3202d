/** What the descriptions of several routes have in common. */
import type { TSchema } from "typebox";
import { ProblemSchema, SERVICE_ERRORS } from "../problem.ts";
import { ERRORS } from "../../../pipeline/index.ts";

interface Described {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

/** A response in JSON. */
export const json = (description: string, schema: TSchema): Described => ({
  description,
  content: { "application/json": { schema } },
});

/** Responses of these statuses: problem documents. */
export function problems(...statuses: readonly number[]): Readonly<Record<number, Described>> {
  const table = Object.entries({ ...SERVICE_ERRORS, ...ERRORS });
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = table.filter(([, { http }]) => http === status).map(([code]) => code);
      const content = { "application/problem+json": { schema: ProblemSchema } };
      return [status, { description: codes.join(", "), content }];
    }),
  );
}

/** A file to be saved, its name in ASCII and as it is (RFC 6266). */
export function contentDisposition(fileName: string): string {
  const ascii = fileName.replaceAll(/[^\w. ()+-]/g, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(fileName).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
