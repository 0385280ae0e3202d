/** Binds a server to a socket, unless that would leave it open to strangers. */
import { BlockList, isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { SettingsError } from "../../pipeline/index.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** True where only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Whether the server asks for tokens. */
  readonly hasTokens: boolean;
}

/**
 * Listens.
 *
 * @returns the address that it can be reached at
 * @throws {SettingsError} where others could reach a server without tokens, or the port is taken
 */
export async function listen(
  app: FastifyInstance,
  { host, port, hasTokens }: ListenOptions,
): Promise<string> {
  if (!hasTokens && !isLoopback(host)) {
    throw new SettingsError(
      `serve: a host that others can reach needs --token-file, received --host ${host} without one`,
    );
  }
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES" && code !== "EADDRNOTAVAIL") throw cause;
    throw new SettingsError(`serve: --port ${port} on ${host} must be free to take (${code})`, {
      cause,
    });
  }
}
