/** The gallery of `attention/README.md`, out of the table of operators. Run, it writes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hasKernel, OPERATORS } from "../../attention/index.ts";

export const README: string = fileURLToPath(new URL("../../attention/README.md", import.meta.url));

const [START, END] = ["<!-- gallery -->", "<!-- /gallery -->"];

/** Everything but a kernel is there for every operator, or the tests fail. */
const runs = (name: string): string => `reference, ONNX${hasKernel(name) ? ", WGSL" : ""}`;

/** The README with its table as the code has it. */
export function withGallery(text: string): string {
  const rows = Object.entries(OPERATORS).map(
    ([name, o]) =>
      `| \`${name}\` | ${o.kind} | ${o.paper} | ${o.cost} | ${o.parameters} | ${runs(name)} |`,
  );
  const table = [
    "| operator | kind | paper | cost | parameters | runs in |",
    "| -------- | ---- | ----- | ---- | ---------- | ------- |",
    ...rows,
  ];
  const [before = "", rest = ""] = text.split(START);
  const [, after = ""] = rest.split(END);
  return `${before}${START}\n\n${table.join("\n")}\n\n${END}${after}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, withGallery(readFileSync(README, "utf8")));
}
