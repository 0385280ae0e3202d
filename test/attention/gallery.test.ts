import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { OPERATORS, volume } from "../../attention/index.ts";
import type { Operator, Value } from "../../attention/index.ts";
import { buildGraph } from "../../models/index.ts";
import type { OnnxGraph } from "../../models/index.ts";
import { README, withGallery } from "./gallery.ts";

const cells = (line: string) =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
/** Tables, whatever a formatter has done to their columns. */
const rowsOf = (text: string) =>
  text.split("\n").flatMap((line) => (line.startsWith("| `") ? [cells(line).join(" | ")] : []));

test("the gallery is what the code says", () => {
  const text = readFileSync(README, "utf8");
  expect(rowsOf(text)).toEqual(rowsOf(withGallery(text)));
});

/** Operators of another form, which the README names below the table. */
const ALONE = new Set([
  "entmax.ts",
  "latent.ts",
  "native-sparse.ts",
  "partial.ts",
  "selective-scan.ts",
]);

test("every core, mixer and reach has its line in the table", () => {
  const folder = fileURLToPath(new URL("../../attention/", import.meta.url));
  const operators = readFileSync(`${folder}operators.ts`, "utf8");
  for (const room of ["cores", "mixers"]) {
    for (const file of readdirSync(`${folder}${room}`)) {
      if (ALONE.has(file)) continue;
      expect(operators, `${room}/${file}`).toContain(`"./${room}/${file}"`);
    }
  }
});

/** Functions that have another name than their operator. */
const FUNCTION: Readonly<Record<string, string>> = { contextAnchor: "contextAnchorGate" };

/** What the numbers of an operator in the table are made with. */
const [N, C, H, k, d, S] = [12, 8, 2, 3, 3, 5];
const D = C / H;

/** Evaluates what the table says of parameters, such as `2C² + 2kC`: letters side by side are multiplied. */
function told(parameters: string, given: Readonly<Record<string, number>>): number {
  const marks = parameters.match(/\d+|[A-Za-z]|[²()+−]/g) ?? [];
  let at = 0;
  const factor = (): number => {
    const mark = marks[at++] ?? "";
    const value = mark === "(" ? sum() : (given[mark] ?? Number(mark));
    if (mark === "(") at++;
    if (marks[at] !== "²") return value;
    at++;
    return value ** 2;
  };
  const product = (): number => {
    let value = factor();
    while (at < marks.length && !"+−)".includes(marks[at] ?? "")) value *= factor();
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (marks[at] === "+" || marks[at] === "−") {
      const sign = marks[at++] === "+" ? 1 : -1;
      value += sign * product();
    }
    return value;
  };
  return sum();
}

function graphOf(operator: Operator): OnnxGraph {
  return buildGraph("count", (g) => {
    if (operator.kind === "core") {
      const of = <L extends string>(name: string, layout: L): Value<L> =>
        g.input(name, layout, [1, H, N, D]);
      const [q, key, v] = [of("q", "B H N D"), of("k", "B H M D"), of("v", "B H M E")];
      return { out: operator.make().lower(g, q, key, v) };
    }
    const x = g.input("x", "B N C", [1, N, C]);
    return { out: operator.kind === "mixer" ? operator.make()(g, x, { rows: 3, columns: 4 }) : x };
  });
}

test.each(Object.entries(OPERATORS).filter(([, { kind }]) => kind === "core" || kind === "mixer"))(
  "%s is one function in the file",
  (name, operator) => {
    const { functions, nodes } = graphOf(operator);
    expect([...functions.values()].map((f) => f.name)).toContain(FUNCTION[name] ?? name);
    expect(nodes.filter((node) => node.function !== undefined)).toHaveLength(1);
  },
);

describe("parameters", () => {
  const own = Object.entries(OPERATORS).filter(
    ([, { kind }]) => kind === "core" || kind === "mixer",
  );
  test.each(own)("of %s are as many as the table says", (name, operator) => {
    const graph = graphOf(operator);
    const trained = [...graph.weights].filter(([, { trainable }]) => trainable);
    const count = trained.reduce((a, [w]) => a + volume(graph.values.get(w)?.shape ?? []), 0);
    const strip = name === "contextAnchor" ? 5 : k;
    expect(count).toBe(told(operator.parameters, { N, C, H, D, k: strip, d, S }));
  });
});
