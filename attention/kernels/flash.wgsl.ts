/**
 * Softmax attention in one pass over the keys: scores are never stored.
 *
 *     out[n] = Σm softmax_m(s[n m]) v[m],   s = scale · q[n]·k[m] + bias[n m]
 *
 * A lane owns a query; keys and values come by tiles through workgroup memory. A running maximum and sum let every
 * tile be folded in when it arrives (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018,
 * arXiv:1805.02867; Dao et al., "FlashAttention", 2022, arXiv:2205.14135). A query that may see no key gives zeros.
 */
import { ShapeError } from "../shape.ts";
import { LANES } from "../webgpu/shader.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { broadcast } from "../webgpu/view.ts";
import type { View } from "../webgpu/view.ts";

export interface FlashOperands {
  /** `[B H N D]` */
  readonly q: Operand;
  /** `[B G M D]`; `G` divides `H`: query head `h` uses key head `⌊h · G / H⌋`. */
  readonly k: Operand;
  /** `[B G M E]` */
  readonly v: Operand;
  /** Broadcasts to `[B H N M]`; 0 where a query may not see a key. */
  readonly mask?: Operand | undefined;
  /** Broadcasts to `[B H N M]`. */
  readonly bias?: Operand | undefined;
  /** `[H]`: cosine attention with these logarithms of temperatures. */
  readonly logScale?: Operand | undefined;
}

export interface FlashOptions {
  /** @default 1 / √D */
  readonly scale?: number | undefined;
  /** Hides the future; with `M > N` the last query sees all. @default false */
  readonly causal?: boolean;
  /** Largest temperature of cosine attention. @default 100 */
  readonly mostScale?: number | undefined;
  /** Smallest length that a query or key is divided by. @default 1e-12 */
  readonly eps?: number | undefined;
  /** WGSL over `b h n m`: what is added to a score besides. */
  readonly plus?: string;
  /** Where results `[B H N E]` are stored. @default as they are numbered */
  readonly place?: View;
}

/** Values of workgroup memory that WebGPU guarantees, as vectors of four. */
const SHARED = 16_384 / 16;

/** One dispatch that writes `out [B H N E]`. */
export function flash(out: string, operands: FlashOperands, options: FlashOptions = {}): Step {
  const { q, k, v, mask, bias, logScale } = operands;
  const [B = 0, H = 0, N = 0, D = 0] = q.view.shape;
  const [, G = 0, M = 0] = k.view.shape;
  const E = v.view.shape[3] ?? 0;
  if (H % G !== 0) {
    throw new ShapeError(`flash: key heads must divide ${H} heads, received ${G}`);
  }
  const [wideD, wideE] = [Math.ceil(D / 4), Math.ceil(E / 4)];
  const tile = Math.max(1, Math.min(M, 32, Math.floor((SHARED - 32) / (wideD + wideE))));
  const reads = [q, k, v];
  const extra = (operand: Operand | undefined, shape: readonly number[]) => {
    if (operand === undefined) return undefined;
    reads.push({ from: operand.from, view: broadcast(operand.view, shape) });
    return `in${reads.length - 1}`;
  };
  const pairs = [B, H, N, M];
  const [sees, adds] = [extra(mask, pairs), extra(bias, pairs)];
  const temperature = extra(logScale && { ...logScale, view: flat(logScale.view, H) }, [H]);
  const shared = { B, H, G, N, M, D, E, wideD, wideE, tile, sees, adds, temperature };
  return {
    label: `flash ${B}×${H}×${N}×${M}×${D}`,
    workgroups: [Math.ceil(N / LANES), H, B],
    reads,
    writes: out,
    shape: [B, H, N, E],
    ...(options.place && { place: options.place }),
    code: shader({ ...shared, scale: options.scale ?? 1 / Math.sqrt(D) }, options),
  };
}

const flat = (view: View, H: number): View => ({ ...view, shape: [H] });

interface Sizes {
  readonly H: number;
  readonly G: number;
  readonly N: number;
  readonly M: number;
  readonly D: number;
  readonly E: number;
  readonly wideD: number;
  readonly wideE: number;
  readonly tile: number;
  readonly scale: number;
  readonly sees: string | undefined;
  readonly adds: string | undefined;
  readonly temperature: string | undefined;
}

/** Four values from `start` of a row of `length`, zeros behind its end. */
const four = (read: string, row: string, vector: string, length: number): string => {
  const at = (i: number) => {
    const value = `${read}(${row} * ${length}u + min(4u * ${vector} + ${i}u, ${length - 1}u))`;
    return length % 4 === 0 ? value : `select(0.0, ${value}, 4u * ${vector} + ${i}u < ${length}u)`;
  };
  return `vec4f(${[0, 1, 2, 3].map(at).join(", ")})`;
};

function shader(s: Sizes, options: FlashOptions): string {
  const { H, G, N, M, D, E, wideD, wideE, tile, scale, temperature } = s;
  const { causal = false, mostScale = 100, eps = 1e-12, plus } = options;
  const pair = `((b * ${H}u + h) * ${N}u + n) * ${M}u + m`;
  const visible = [
    ...(s.sees ? [`${s.sees}(${pair}) != 0.0`] : []),
    ...(causal ? [`i32(m) <= i32(n) + ${M - N}`] : []),
  ];
  const cosine = temperature !== undefined;
  return /* wgsl */ `
const LOW = -3.0e38;
var<workgroup> keys: array<vec4f, ${tile * wideD}>;
var<workgroup> values: array<vec4f, ${tile * wideE}>;
${cosine ? `var<workgroup> lengths: array<f32, ${tile}>;` : ""}

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x * ${LANES}u + lane;
  let h = group.y;
  let b = group.z;
  let row = (b * ${H}u + h) * ${N}u + min(n, ${N - 1}u);
  let head = b * ${G}u + h / ${H / G}u;
  var q: array<vec4f, ${wideD}>;
  for (var d = 0u; d < ${wideD}u; d++) { q[d] = ${four("in0", "row", "d", D)}; }
  var scale = f32(${scale});
${cosine ? cosineScale(wideD, temperature, mostScale, eps) : ""}
  var sum: array<vec4f, ${wideE}>;
  var top = LOW;
  var total = 0.0;
  for (var start = 0u; start < ${M}u; start += ${tile}u) {
    workgroupBarrier();
    for (var i = lane; i < ${tile * wideD}u; i += ${LANES}u) {
      let key = head * ${M}u + min(start + i / ${wideD}u, ${M - 1}u);
      let d = i % ${wideD}u;
      keys[i] = ${four("in1", "key", "d", D)};
    }
    for (var i = lane; i < ${tile * wideE}u; i += ${LANES}u) {
      let key = head * ${M}u + min(start + i / ${wideE}u, ${M - 1}u);
      let e = i % ${wideE}u;
      values[i] = ${four("in2", "key", "e", E)};
    }
    workgroupBarrier();
${cosine ? keyLengths(tile, wideD, eps) : ""}
    let count = min(${tile}u, ${M}u - start);
    var scores: array<f32, ${tile}>;
    var best = top;
    if (n < ${N}u) {
      for (var j = 0u; j < count; j++) {
        let m = start + j;
        var product = 0.0;
        for (var d = 0u; d < ${wideD}u; d++) { product += dot(q[d], keys[j * ${wideD}u + d]); }
        var score = product * scale${cosine ? " / lengths[j]" : ""};
${s.adds ? `        score += ${s.adds}(${pair});` : ""}
${plus ? `        score += ${plus};` : ""}
${visible.length > 0 ? `        score = select(LOW, score, ${visible.join(" && ")});` : ""}
        scores[j] = score;
        best = max(best, score);
      }
      let keep = exp(top - best);
      total *= keep;
      for (var e = 0u; e < ${wideE}u; e++) { sum[e] *= keep; }
      for (var j = 0u; j < count; j++) {
        let weight = select(exp(scores[j] - best), 0.0, scores[j] == LOW);
        total += weight;
        for (var e = 0u; e < ${wideE}u; e++) { sum[e] += weight * values[j * ${wideE}u + e]; }
      }
      top = best;
    }
  }
  if (n >= ${N}u) { return; }
  let share = select(1.0 / total, 0.0, total == 0.0);
  for (var e = 0u; e < ${E}u; e++) { put(row * ${E}u + e, sum[e / 4u][e % 4u] * share); }
}`;
}

const cosineScale = (wideD: number, temperature: string, most: number, eps: number): string => `
  var square = 0.0;
  for (var d = 0u; d < ${wideD}u; d++) { square += dot(q[d], q[d]); }
  scale = min(exp(${temperature}(h)), f32(${most})) / max(sqrt(square), ${eps.toExponential()});`;

const keyLengths = (tile: number, wideD: number, eps: number): string => `
    if (lane < ${tile}u) {
      var square = 0.0;
      for (var d = 0u; d < ${wideD}u; d++) {
        square += dot(keys[lane * ${wideD}u + d], keys[lane * ${wideD}u + d]);
      }
      lengths[lane] = max(sqrt(square), ${eps.toExponential()});
    }
    workgroupBarrier();`;
