/**
 * Masks and biases over pairs of query and key.
 *
 * One meaning everywhere: a mask is true where a query *may* see a key. PyTorch's `MultiheadAttention`
 * has it the other way round; turn its masks over when loading them.
 */
import type { Graph, Value } from "./graph.ts";
import type { Pairing, Pairs } from "./operator.ts";
import { ShapeError } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

type Four = readonly [B: number, H: number, N: number, M: number];

/** The mask under which query `n` of `N` sees the keys for which `sees(n, m)`. */
export function maskOf(
  g: Graph,
  [N, M]: readonly [N: number, M: number],
  sees: (n: number, m: number) => boolean,
): Value<"B H N M"> {
  const data = new Uint8Array(N * M);
  for (let n = 0; n < N; n++) for (let m = 0; m < M; m++) data[n * M + m] = sees(n, m) ? 1 : 0;
  return g.constant("B H N M", [1, 1, N, M], data);
}

/**
 * Whether query `n` may see key `m` when nothing sees the future. With more keys than queries the *last*
 * query sees all of them (bottom-right alignment), as FlashAttention ≥ 2.1 has it.
 */
export const isPast =
  (N: number, M: number) =>
  (n: number, m: number): boolean =>
    m <= n + M - N;

/** Hides the future; see {@link isPast} for `N ≠ M`. */
export const causal = (g: Graph, N: number, M: number = N): Value<"B H N M"> =>
  maskOf(g, [N, M], isPast(N, M));

/** Hides padded keys: `keep [B M]` is true where a key is real. */
export function keyPadding(g: Graph, keep: Value<"B M">): Value<"B H N M"> {
  const [B = 0, M = 0] = keep.shape;
  return g.reshape(keep, "B H N M", [B, 1, 1, M]);
}

/** Both at once: seen where both allow it, biases added. */
export function both(g: Graph, a: Pairs | undefined, b: Pairs | undefined): Pairs {
  return {
    mask: a?.mask && b?.mask ? g.binary("and", a.mask, b.mask) : (a?.mask ?? b?.mask),
    bias: a?.bias && b?.bias ? g.add(a.bias, b.bias) : (a?.bias ?? b?.bias),
  };
}

/**
 * Checks that a pairing is of the right kind and broadcasts to `[B H N M]`.
 *
 * @throws {ShapeError} naming the operator, the axis and both sizes
 */
export function checkPairing(
  caller: string,
  sizes: Four,
  pairing: Pairing<Tensor, Tensor> | Pairs,
): void {
  for (const role of ["mask", "bias"] as const) {
    const given = pairing[role];
    if (given === undefined) continue;
    const want = role === "mask" ? "bool" : "float32";
    if ("type" in given && given.type !== want) {
      throw new ShapeError(`${caller}: ${role} must be ${want}, received ${given.type}`);
    }
    if (given.shape.length !== 4) {
      throw new ShapeError(
        `${caller}: ${role} should be [B H N M], received [${given.shape.join(" ")}]`,
      );
    }
    for (const [i, axis] of ["B", "H", "N", "M"].entries()) {
      if (given.shape[i] !== 1 && given.shape[i] !== sizes[i]) {
        throw new ShapeError(
          `${caller}: ${axis} is ${sizes[i]} in the scores but ${given.shape[i]} in ${role} [${given.shape.join(" ")}]`,
        );
      }
    }
  }
}

/**
 * The check of cores that have no scores: a mask may tell keys apart, not queries, and there is nothing to
 * add a bias to.
 *
 * @throws {ShapeError} naming the operator and what it received
 */
export function checkKeyMask(
  caller: string,
  sizes: Four,
  pairing: Pairing<Tensor, Tensor> | Pairs,
): void {
  checkPairing(caller, sizes, pairing);
  if (pairing.bias) throw new ShapeError(`${caller}: has no scores to add a bias to, received one`);
  if (pairing.mask && pairing.mask.shape[2] !== 1) {
    throw new ShapeError(
      `${caller}: mask must be the same for all queries, N 1, received N ${pairing.mask.shape[2]}`,
    );
  }
}

/** The inputs that a pairing adds to a call, and the attribute that tells a kernel which they are. */
export function pairingInputs(pairing: Pairs): { inputs: Value[]; takes: string } {
  const given = (["mask", "bias"] as const).filter((role) => pairing[role] !== undefined);
  return { inputs: given.flatMap((role) => pairing[role] ?? []), takes: given.join(" ") };
}

/** Inside a call: the pairing again, from the inputs {@link pairingInputs} listed. */
export function pairingOf(takes: string, inputs: readonly Value[]): Pairs {
  const roles = takes.split(" ");
  const at = (role: string) => inputs[roles.indexOf(role)] as Value<"B H N M"> | undefined;
  return { mask: at("mask"), bias: at("bias") };
}
