/** Bearer tokens (RFC 6750), compared in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { SettingsError } from "../../../pipeline/index.ts";

const SHORTEST = 16;

/** One token a line; empty lines and those that begin with `#` are left out. @throws {SettingsError} */
export function readTokens(path: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new SettingsError(`serve: the token file must be readable, received ${path}`, { cause });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const tokens = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (tokens.length === 0) {
    throw new SettingsError(`serve: the token file must hold a token, received none in ${path}`);
  }
  const short = tokens.find((token) => token.length < SHORTEST || /\s/.test(token));
  if (short !== undefined) {
    throw new SettingsError(
      `serve: a token must have at least ${SHORTEST} characters and no space, received one of ${short.length}`,
    );
  }
  return tokens;
}

/** Who the token of an `Authorization` header belongs to: a name that does not tell the token. */
export type Recognise = (authorization: string | undefined) => string | undefined;

/** Every token is compared, whichever matches, so time tells nothing. */
export function recogniser(tokens: readonly string[]): Recognise {
  const known = tokens.map((token) => {
    const digest = sha256(token);
    return { digest, owner: digest.toString("hex").slice(0, 12) };
  });
  return (authorization) => {
    const given = sha256(/^bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "");
    let owner: string | undefined;
    for (const one of known) if (timingSafeEqual(one.digest, given)) ({ owner } = one);
    return owner;
  };
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
