/**
 * Writes the graph of every case, forwards and backwards, as an ONNX file, for checks by other programs:
 *
 *     npx tsx test/models/onnx/write-cases.ts DIR
 *     python3 -c "import glob, onnx; [onnx.checker.check_model(onnx.load(f), full_check=True) for f in glob.glob('DIR/*')]"
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Value } from "../../../attention/graph.ts";
import { pullback } from "../../../models/gradient/gradient.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import { toOnnx } from "../../../models/onnx/model.ts";
import { PORT_CASES } from "./port.ts";

const folder = process.argv[2] ?? "cases";
mkdirSync(folder, { recursive: true });
for (const [name, { inputs, write, smooth }] of Object.entries(PORT_CASES)) {
  const graph = buildGraph(name, (g) => {
    const values = Object.entries(inputs).map(([input, [layout, ...shape]]): [string, Value] => [
      input,
      g.input(input, layout, shape),
    ]);
    return { y: write(g, Object.fromEntries(values)) };
  });
  const file = name.replaceAll(/\W+/g, "-");
  writeFileSync(join(folder, `${file}.onnx`), toOnnx(graph, new Map()));
  if (smooth === false) continue;
  const pulled = pullback(graph, ["y"], Object.keys(inputs));
  writeFileSync(join(folder, `${file}.backward.onnx`), toOnnx(pulled, new Map()));
}
