/** Well-known text of coordinate reference systems (OGC 01-009 §7), as a tree. */
export interface WktNode {
  readonly keyword: string;
  readonly values: readonly (string | number | WktNode)[];
}

/** Parses `KEYWORD["name",1.5,OTHER[…]]`. @throws {SyntaxError} for text that is none */
export function parseWkt(text: string): WktNode {
  const tokens = text.match(/"(?:[^"]|"")*"|[[\](),]|[^\s"[\](),]+/g) ?? [];
  let at = 0;
  const value = (): string | number | WktNode => {
    const token = tokens[at++];
    if (token === undefined || /^[[\](),]$/.test(token)) {
      throw new SyntaxError(
        `WKT: a value must stand at token ${at}, received ${token ?? "the end"}`,
      );
    }
    if (token.startsWith('"')) return token.slice(1, -1).replaceAll('""', '"');
    if (tokens[at] === "[" || tokens[at] === "(") {
      const values: (string | number | WktNode)[] = [];
      do {
        at++;
        values.push(value());
      } while (tokens[at] === ",");
      at++;
      return { keyword: token.toUpperCase(), values };
    }
    const number = Number(token);
    return Number.isNaN(number) ? token : number;
  };
  const root = value();
  if (typeof root !== "object") throw new SyntaxError(`WKT: must be a node, received ${text}`);
  return root;
}

/** The first child of that keyword. */
export function child(node: WktNode | undefined, keyword: string): WktNode | undefined {
  return children(node, keyword)[0];
}

export function children(node: WktNode | undefined, keyword: string): readonly WktNode[] {
  return (node?.values ?? []).filter(
    (value): value is WktNode => typeof value === "object" && value.keyword === keyword,
  );
}

/** The name a node opens with. */
export function nameOf(node: WktNode | undefined): string {
  return textAt(node, 0) ?? "unknown";
}

export function textAt(node: WktNode | undefined, place: number): string | undefined {
  const value = node?.values[place];
  return value === undefined || typeof value === "object" ? undefined : String(value);
}

export function numberAt(node: WktNode | undefined, place: number): number | undefined {
  const value = node?.values[place];
  return value === undefined || typeof value === "object" ? undefined : Number(value);
}
