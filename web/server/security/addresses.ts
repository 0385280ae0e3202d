/** Which addresses the server may fetch from (against server-side request forgery). */
import { lookup as lookupName } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { RequestError } from "../problem.ts";

/** Networks that are not the public internet: RFC 6890, RFC 6598, RFC 4193, RFC 4291, RFC 5735. */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  PRIVATE.addSubnet(network, bits, "ipv4");
}
/** Only 2000::/3 is public unicast; these parts of it lead elsewhere. */
for (const [network, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  PRIVATE.addSubnet(network, bits, "ipv6");
}
const UNICAST = new BlockList();
UNICAST.addSubnet("2000::", 3, "ipv6");

/** True where the address belongs to the public internet. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !PRIVATE.check(address, "ipv4");
  return family === 6 && UNICAST.check(address, "ipv6") && !PRIVATE.check(address, "ipv6");
}

export interface Vetted {
  readonly url: URL;
  /** Connect to this and nothing else: the name may mean something else a moment later. */
  readonly address: string;
  readonly family: 4 | 6;
}

export type Lookup = (
  name: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Judges an address without asking the network. @throws {RequestError} `ERR_ADDRESS`, `ERR_REQUEST` */
export function checkUrl(text: string, allowed: readonly string[]): URL {
  if (allowed.length === 0) {
    throw refusal("addresses are switched off on this server; upload the file");
  }
  if (!URL.canParse(text)) {
    throw new RequestError("ERR_REQUEST", "url: must be an http or https address");
  }
  const url = new URL(text); // also turns 2130706433, 0x7f.1 and the like into dotted addresses
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refusal(`url must begin with http or https, received ${url.protocol}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw refusal("url must hold no user and no password");
  }
  if (!allowed.some((rule) => matches(rule, url))) {
    throw refusal(`url must be on a host that the server allows, received ${url.host}`);
  }
  return url;
}

/**
 * Judges an address and looks its host up. A host that the list names as a number is trusted as it is; a name must
 * lead to public addresses only.
 *
 * @throws {RequestError} `ERR_ADDRESS`
 */
export async function vet(
  text: string,
  allowed: readonly string[],
  lookup: Lookup = (name) => lookupName(name, { all: true, verbatim: true }),
): Promise<Vetted> {
  const url = checkUrl(text, allowed);
  const host = bare(url.hostname);
  const family = isIP(host);
  if (family !== 0) return { url, address: host, family: family === 4 ? 4 : 6 };
  const found = await lookup(host).catch(() => []);
  const [first] = found;
  if (first === undefined) throw refusal(`the host ${host} cannot be found`);
  const hidden = found.find(({ address }) => !isPublic(address));
  if (hidden !== undefined) throw refusal(`${host} must lead to the public internet`);
  return { url, address: first.address, family: first.family === 4 ? 4 : 6 };
}

/** `example.org`, `*.example.org`, each with or without `:port`; without one the usual port is meant. */
function matches(rule: string, url: URL): boolean {
  const wanted = rule.toLowerCase();
  if (wanted.startsWith("*.")) {
    const tail = wanted.slice(1);
    return url.host.endsWith(tail) && url.host.length > tail.length && isIP(url.hostname) === 0;
  }
  return URL.canParse(`${url.protocol}//${wanted}`)
    ? new URL(`${url.protocol}//${wanted}`).host === url.host
    : false;
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

const refusal = (sentence: string): RequestError => new RequestError("ERR_ADDRESS", sentence);
