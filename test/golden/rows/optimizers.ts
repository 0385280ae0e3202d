/** Optimizers: five steps on the loss Σ c x², `c = [1, 2, ½, 3]`, every stored value fed back. */
import {
  adamW,
  buildGraph,
  initialWeights,
  sgd,
  STEP,
  trainingStep,
} from "../../../models/index.ts";
import type { Optimizer } from "../../../models/index.ts";
import { runTraining } from "../../onnxruntime.ts";
import { numberOf, tensorOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Row } from "../row.ts";

const C = [1, 2, 0.5, 3];

/** The positions before the first step and after each. */
async function trajectory(
  c: Case,
  optimizer: Optimizer,
  rate: number,
): Promise<Map<string, Float32Array>> {
  const traj = tensorOf(c, "out.traj");
  const [count = 0, size = 0] = traj.shape;
  const graph = buildGraph(c.name, (g) => {
    const x = g.weight("x", "N", [size], { kind: "constant", value: 0 });
    const weights = g.constant("N", [size], Float32Array.from(C));
    return { loss: g.reduce("sum", g.mul(weights, g.mul(x, x)), ["N"]) };
  });
  const step = trainingStep(graph, { loss: "loss", optimizer });
  const out = new Float32Array(traj.data.length);
  const stored = new Map(initialWeights(step)).set("x", traj.data.slice(0, size));
  out.set(stored.get("x") ?? []);
  for (let i = 1; i < count; i++) {
    const feeds = { ...Object.fromEntries(stored), [STEP.rate]: [rate] };
    const outputs = await runTraining(step, feeds);
    for (const [name, value] of step.updates)
      stored.set(name, outputs[value] ?? new Float32Array());
    out.set(stored.get("x") ?? [], i * size);
  }
  return new Map([["out.traj", out]]);
}

/**
 * What SGD was run with, where the case does not say: the first step gives rate and decay, the second the momentum;
 * the others are the test.
 */
function settingsOfSgd(c: Case): { rate: number; decay: number; momentum: number } {
  const { data } = tensorOf(c, "out.traj");
  const at = (t: number, i: number) => data[t * C.length + i] ?? 0;
  const move = (t: number, i: number) => at(t, i) - at(t + 1, i);
  const [c0 = 0, c1 = 0] = C;
  const [r0, r1] = [move(0, 0) / at(0, 0), move(0, 1) / at(0, 1)];
  const along = (r1 - r0) / (2 * (c1 - c0));
  const decay = Math.max(0, r0 / along - 2 * c0);
  const slope = (t: number) => (2 * c1 + decay) * at(t, 1);
  const extra = (move(1, 1) / along - slope(1)) / slope(0);
  const momentum = numberOf(c, "momentum", (extra + Math.sqrt(extra * extra + 4 * extra)) / 2);
  return { rate: along / (1 + momentum), decay, momentum };
}

export const OPTIMIZERS: readonly Row[] = [
  {
    prefix: "p_adamw",
    run: (c) => {
      const weightDecay = () => numberOf(c, "weight_decay", 0.05);
      return trajectory(c, adamW({ weightDecay }), numberOf(c, "lr", 0.01));
    },
  },
  {
    prefix: "p_sgd_nesterov",
    run: (c) => {
      const { rate, decay, momentum } = settingsOfSgd(c);
      return trajectory(c, sgd({ momentum, weightDecay: () => decay }), rate);
    },
  },
];
