/**
 * Linear attention in two dispatches: what keys and values say together, then every query asks it.
 *
 *     S = Σm φ(k[m]) [v[m] 1]ᵀ,   out[n] = φ(q[n]) S / (φ(q[n])·z + ε),   φ(x) = elu(x) + 1
 *
 * Katharopoulos et al., "Transformers are RNNs", 2020, §3.2. arXiv:2006.16236
 */
import { perValue } from "../webgpu/shader.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { broadcast, whole } from "../webgpu/view.ts";

export interface LinearOperands {
  /** `[B H N D]` */
  readonly q: Operand;
  /** `[B H M D]` */
  readonly k: Operand;
  /** `[B H M E]` */
  readonly v: Operand;
  /** Broadcasts to `[B H 1 M]`; 0 where a key may not be seen. */
  readonly mask?: Operand | undefined;
}

/** Writes `out [B H N E]`; `spare` is the name of a tensor between. */
export function linearAttention(
  out: string,
  spare: string,
  { q, k, v, mask }: LinearOperands,
  { eps = 1e-6 }: { readonly eps?: number } = {},
): Step[] {
  const [B = 0, H = 0, N = 0, D = 0] = q.view.shape;
  const [M, E] = [k.view.shape[2] ?? 0, v.view.shape[3] ?? 0];
  const seen = mask && { from: mask.from, view: broadcast(mask.view, [B, H, 1, M]) };
  const phi = `fn phi(x: f32) -> f32 { return select(exp(x), x + 1.0, x > 0.0); }`;
  // Column E of S holds z.
  const sums = perValue(
    B * H * D * (E + 1),
    /* wgsl */ `
  let e = at % ${E + 1}u;
  let d = at / ${E + 1}u % ${D}u;
  let head = at / ${(E + 1) * D}u;
  var total = 0.0;
  for (var m = 0u; m < ${M}u; m++) {
    let row = head * ${M}u + m;
    var value = 1.0;
    if (e < ${E}u) { value = in2(row * ${E}u + e); }
    total += phi(in1(row * ${D}u + d)) * value${seen ? " * select(0.0, 1.0, in0(row) != 0.0)" : ""};
  }
  put(at, total);`,
  );
  const asked = perValue(
    B * H * N * E,
    /* wgsl */ `
  let e = at % ${E}u;
  let row = at / ${E}u;
  let head = row / ${N}u;
  var total = 0.0;
  var weight = f32(${eps});
  for (var d = 0u; d < ${D}u; d++) {
    let feature = phi(in0(row * ${D}u + d));
    let sums = (head * ${D}u + d) * ${E + 1}u;
    total += feature * in1(sums + e);
    weight += feature * in1(sums + ${E}u);
  }
  put(at, total / weight);`,
  );
  const first: Step = {
    label: `linear sums ${B}×${H}×${M}×${D}`,
    ...sums,
    code: phi + sums.code,
    reads: [seen ?? k, k, v],
    writes: spare,
    shape: [B, H, D, E + 1],
  };
  return [
    first,
    {
      label: `linear ${B}×${H}×${N}×${D}`,
      ...asked,
      code: phi + asked.code,
      reads: [q, { from: spare, view: whole(first.shape) }],
      writes: out,
      shape: [B, H, N, E],
    },
  ];
}
