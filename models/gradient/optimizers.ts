/**
 * Optimizers as graph nodes: stored state in, the next state out.
 *
 * The learning rate is an input of the step, so that schedules need no new graph.
 */
import { volume } from "../../attention/index.ts";
import type { NamedValue } from "../onnx/graph.ts";
import type { Writer } from "../onnx/operations/operation.ts";
import { add, div, mul, sub, times } from "../onnx/operations/write.ts";

/** Weights at one step, laid one after another. */
export interface Step {
  readonly weight: NamedValue;
  readonly gradient: NamedValue;
  /** What {@link Optimizer.state} names, by name. */
  readonly state: Readonly<Record<string, NamedValue>>;
  /** The learning rate, a number. */
  readonly rate: NamedValue;
  /** 1 in the first step, 2 in the second. */
  readonly count: NamedValue;
  /** Share of these weights that decays. */
  readonly decay: number;
}

/** What replaces a weight and its state. */
export interface Stepped {
  readonly weight: NamedValue;
  readonly state: Readonly<Record<string, NamedValue>>;
}

export interface Optimizer {
  /** Names of the values kept beside every weight, of its shape; they start at zero. */
  readonly state: readonly string[];
  readonly decayOf: (name: string, shape: readonly number[]) => number;
  readonly step: (w: Writer, step: Step) => Stepped;
}

/** Which share of a weight decays; by default vectors (biases, scales of norms) do not. */
export type Decay = number | ((name: string, shape: readonly number[]) => number);

const decayOf =
  (decay: Decay): Optimizer["decayOf"] =>
  (name, shape) => {
    if (typeof decay === "function") return decay(name, shape);
    return shape.length > 1 && volume(shape) > 1 ? decay : 0;
  };

const part = (state: Step["state"], name: string): NamedValue => {
  const found = state[name];
  if (found === undefined) throw new RangeError(`optimizer: no state is called ${name}`);
  return found;
};

export interface SgdOptions {
  /** @default 0.9 */
  readonly momentum?: number;
  /** Looks ahead along the momentum (Sutskever et al., 2013). @default true */
  readonly nesterov?: boolean;
  /** Added to the gradient as a share of the weight. @default 0 */
  readonly weightDecay?: Decay;
}

/**
 * Stochastic gradient descent with momentum, as PyTorch defines it: the learning rate multiplies the velocity,
 * not what goes into it.
 */
export function sgd({
  momentum = 0.9,
  nesterov = true,
  weightDecay = 0,
}: SgdOptions = {}): Optimizer {
  return {
    state: ["momentum"],
    decayOf: decayOf(weightDecay),
    step(w, { weight, gradient, state, rate, decay }) {
      const slope = decay === 0 ? gradient : add(w, gradient, times(w, weight, decay));
      const velocity = add(w, times(w, part(state, "momentum"), momentum), slope);
      const along = nesterov ? add(w, slope, times(w, velocity, momentum)) : velocity;
      return { weight: sub(w, weight, mul(w, along, rate)), state: { momentum: velocity } };
    },
  };
}

export interface AdamWOptions {
  /** @default [0.9, 0.999] */
  readonly betas?: readonly [number, number];
  /** @default 1e-8 */
  readonly eps?: number;
  /** Share of the weight that is lost per step, times the learning rate. @default 0.01 */
  readonly weightDecay?: Decay;
}

/** Adam with decoupled weight decay. Loshchilov and Hutter, 2019, algorithm 2. arXiv:1711.05101 */
export function adamW({
  betas: [beta1, beta2] = [0.9, 0.999],
  eps = 1e-8,
  weightDecay = 0.01,
}: AdamWOptions = {}): Optimizer {
  return {
    state: ["mean", "square"],
    decayOf: decayOf(weightDecay),
    step(w, { weight, gradient, state, rate, count, decay }) {
      const follow = (name: string, beta: number, now: NamedValue) =>
        add(w, times(w, part(state, name), beta), times(w, now, 1 - beta));
      const mean = follow("mean", beta1, gradient);
      const square = follow("square", beta2, mul(w, gradient, gradient));
      const unbiased = (beta: number) =>
        sub(w, w.number(1), w.node("Pow", [w.number(beta), count]));
      // Everything that is one number is computed before anything that is one a weight.
      const scale = w.node("Sqrt", [unbiased(beta2)]);
      const root = add(w, div(w, w.node("Sqrt", [square]), scale), w.number(eps));
      const stride = div(w, mul(w, mean, div(w, rate, unbiased(beta1))), root);
      const share = sub(w, w.number(1), times(w, rate, decay));
      const kept = decay === 0 ? weight : mul(w, weight, share);
      return { weight: sub(w, kept, stride), state: { mean, square } };
    },
  };
}
