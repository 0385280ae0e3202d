/** Python literals, as exporters print them with `str()`: `{0: 'person', 1: "it's"}`, `[640, 640]`, `True`. */

/** The value, with dicts as objects and tuples as arrays; undefined where the text is no literal. */
export function parsePython(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const tokens = [...text.matchAll(TOKEN)].map(([token]) => token.trim()).filter(Boolean);
  const reader = { tokens, at: 0 };
  const value = readValue(reader);
  return reader.at === tokens.length ? value : undefined;
}

/** Strings, numbers, words, punctuation; anything else is a token of its own that no rule takes. */
const TOKEN =
  /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d*)?(?:e[+-]?\d+)?|[A-Za-z_]\w*|\s+|[^\s]/gi;

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

const WORDS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null };

function readValue(reader: Reader): unknown {
  const token = reader.tokens[reader.at++];
  if (token === undefined) return undefined;
  if (token === "{") return readDict(reader);
  if (token === "[" || token === "(") return readList(reader, token === "[" ? "]" : ")");
  if (token.length > 1 && (token.startsWith("'") || token.startsWith('"'))) return unquote(token);
  return token in WORDS ? WORDS[token] : readNumber(token);
}

function readNumber(token: string): number | undefined {
  const number = Number(token);
  return Number.isNaN(number) ? undefined : number;
}

function readList(reader: Reader, close: string): unknown[] {
  const list: unknown[] = [];
  while (reader.at < reader.tokens.length && !take(reader, close)) {
    list.push(readValue(reader));
    take(reader, ",");
  }
  return list;
}

function readDict(reader: Reader): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  while (reader.at < reader.tokens.length && !take(reader, "}")) {
    const key = readValue(reader);
    take(reader, ":");
    entries.push([String(key), readValue(reader)]);
    take(reader, ",");
  }
  return Object.fromEntries(entries);
}

function take(reader: Reader, token: string): boolean {
  const there = reader.tokens[reader.at] === token;
  if (there) reader.at++;
  return there;
}

const unquote = (token: string): string =>
  token
    .slice(1, -1)
    .replaceAll(/\\(?:x([\da-f]{2})|u([\da-f]{4})|(.))/gi, (_, x, u, c: string | undefined) =>
      c === undefined ? String.fromCodePoint(Number.parseInt(x ?? u, 16)) : (ESCAPES[c] ?? c),
    );

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
