/**
 * Run by attention.bench.ts in a process of its own: prints the milliseconds of one operator at one size, and the
 * MB by which running it made the process's peak grow. Time is that of the processor, on one thread, and the
 * fastest of the runs: what else the machine does counts in neither. `attention-once.ts NAME SIDE`
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { volume } from "../../attention/index.ts";
import { subject } from "./attention-operators.ts";

const [name = "", side = "14"] = process.argv.slice(2);
const { bytes, shape, feeds } = subject(name, Number(side));
const before = process.resourceUsage().maxRSS;
const session = await InferenceSession.create(bytes, {
  intraOpNumThreads: 1,
  graphOptimizationLevel: "all",
});
const x = Float32Array.from({ length: volume(shape) }, (_, i) => Math.sin(1.3 * i));
const inputs = Object.fromEntries([
  ["x", new Tensor("float32", x, shape)],
  ...[...feeds].map(([w, { shape, data }]) => [w, new Tensor("float32", data, shape)] as const),
]);
const once = async () => {
  const start = process.cpuUsage();
  const results = await session.run(inputs);
  const { user, system } = process.cpuUsage(start);
  for (const result of Object.values(results)) result.dispose();
  return (user + system) / 1000;
};
const first = await once();
// At least three runs, and as many more as fit in two seconds.
const runs = Math.min(30, Math.max(3, Math.ceil(2000 / first)));
let ms = first;
for (let i = 0; i < runs; i++) ms = Math.min(ms, await once());
const peakMB = (process.resourceUsage().maxRSS - before) / 1024;
console.log(JSON.stringify({ ms, peakMB }));
