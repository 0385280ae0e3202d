/**
 * Writes the graph of every case, forwards and backwards, as an ONNX file, for checks by other programs:
 *
 *     npx tsx test/models/onnx/write-cases.ts DIR
 *     python3 -c "import glob, onnx; [onnx.checker.check_model(onnx.load(f), full_check=True) for f in glob.glob('DIR/*')]"
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pullback } from "../../../models/gradient/gradient.ts";
import { toOnnx } from "../../../models/onnx/model.ts";
import { graphOf, PORT_CASES } from "./port.ts";

const folder = process.argv[2] ?? "cases";
mkdirSync(folder, { recursive: true });
for (const [name, port] of Object.entries(PORT_CASES)) {
  const graph = graphOf(name, port);
  const file = name.replaceAll(/\W+/g, "-");
  writeFileSync(join(folder, `${file}.onnx`), toOnnx(graph, new Map()));
  if (port.smooth === false) continue;
  const pulled = pullback(graph, ["y"], Object.keys(port.inputs));
  writeFileSync(join(folder, `${file}.backward.onnx`), toOnnx(pulled, new Map()));
}
