/** Kernels on a device against the plain-loop references of their operators. */
import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  contextAnchor,
  contextAnchorReference,
  cosine,
  flash,
  isPast,
  linear,
  OPERATOR_KERNELS,
  polynomial,
  polynomialReference,
  reshaped,
  runOnce,
  scaledDotProduct,
  tensor,
  transposed,
  whole,
} from "../../../attention/index.ts";
import type { Core, Mixer, MixerReference, Operand, Tensor } from "../../../attention/index.ts";
import { buildGraph } from "../../../models/index.ts";
import { expectClose } from "../../close.ts";
import { runNative } from "../../onnxruntime.ts";
import { openTestDevice, operands } from "../../webgpu.ts";
import { computing, coreSizes, drawnWeights, noise, someOf } from "../plain.ts";

/** float32 sums of at most some hundred terms around 1, with exponentials between. */
const CLOSE = 3e-5;
/** Every run compiles shaders of its own. */
const RUNS = 4;

const device = await openTestDevice();
afterAll(async () => device?.[Symbol.asyncDispose]());

const spare = (i: number) => `spare${i}`;

const CORES: readonly (readonly [string, Core, "pairs" | "keys"])[] = [
  ["scaledDotProduct", scaledDotProduct, "pairs"],
  ["cosine", cosine, "pairs"],
  ["linear", linear, "keys"],
];

describe.skipIf(!device)("on a device", () => {
  describe.each(CORES)("%s", (name, core, masks) => {
    prop.prop([coreSizes, fc.boolean(), fc.boolean()], { numRuns: RUNS })(
      "is its reference and ONNX Runtime, for any sizes, mask and bias",
      async ({ B, H, N, M, D, E, seed }, isMasked, isBiased) => {
        const q = noise("B H N D", [B, H, N, D], seed);
        const k = noise("B H M D", [B, H, M, D], seed + 1);
        const v = noise("B H M E", [B, H, M, E], seed + 2);
        const some = someOf("B H N M", [B, 1, masks === "pairs" ? N : 1, M], seed + 3);
        const mask = isMasked ? some : undefined;
        const bias =
          isBiased && masks === "pairs" ? noise("B H N M", [1, H, N, M], seed + 4) : undefined;
        const graph = buildGraph("core", (g) => {
          const pairs = {
            mask: mask && g.input("mask", "B H N M", mask.shape, "bool"),
            bias: bias && g.input("bias", "B H N M", bias.shape),
          };
          const [Q, K] = [g.input("q", "B H N D", q.shape), g.input("k", "B H M D", k.shape)];
          return { out: core.lower(g, Q, K, g.input("v", "B H M E", v.shape), pairs) };
        });
        const logScale = tensor("H I J", [H, 1, 1], new Float32Array(H).fill(Math.log(10)));
        const { of, feeds } = operands({
          ...{ q, k, v, mask, bias },
          logit_scale: core === cosine ? logScale : undefined,
        });
        const node = graph.nodes.find(({ op }) => op === name);
        const steps = OPERATOR_KERNELS[name]!({
          attributes: node!.attributes,
          inputs: node!.inputs.map((input) => (of as Record<string, Operand>)[input]!),
          ...{ out: "out", spare },
        });
        const out = await runOnce(device!, steps, feeds, "out");
        expectClose(out, core.reference(q, k, v, { mask, bias }).data, CLOSE);
        const known = new Map([["logit_scale", logScale.data]]);
        const ort = await runNative(graph, core === cosine ? known : new Map(), {
          ...{ q: q.data, k: k.data, v: v.data },
          ...(mask && { mask: mask.data }),
          ...(bias && { bias: bias.data }),
        });
        expectClose(out, ort["out"]!, CLOSE);
      },
    );
  });

  const grids = fc.record({
    B: fc.integer({ min: 1, max: 2 }),
    C: fc.constantFrom(3, 8),
    rows: fc.integer({ min: 1, max: 19 }),
    columns: fc.integer({ min: 1, max: 7 }),
    seed: fc.integer({ min: 0, max: 1000 }),
    isPadded: fc.boolean(),
  });

  const MIXERS: readonly (readonly [string, string, Mixer, MixerReference])[] = [
    ["contextAnchor", "contextAnchorGate", contextAnchor({ length: 5 }), contextAnchorReference],
    ["polynomial", "of degree 1", ...padre({ degree: 1, size: 3 })],
    ["polynomial", "of degree 2", ...padre({ degree: 2, size: 5 })],
    ["polynomial", "of degree 3, summed", ...padre({ degree: 3, size: 3, terms: "sum" })],
  ];

  describe.each(MIXERS)("%s (%s)", (name, _of, mixer, reference) => {
    prop.prop([grids], { numRuns: 3 })(
      "is its reference on any grid, with and without padding",
      async ({ B, C, rows, columns, seed, isPadded }) => {
        const x = noise("B N C", [B, rows * columns, C], seed);
        const valid = isPadded ? someOf("B N", [B, rows * columns], seed + 1) : undefined;
        const drawn = drawnWeights(seed);
        const { graph: eager, put } = computing(drawn);
        mixer(eager, put(x), { rows, columns });
        const graph = buildGraph("mixer", (g) => {
          const seen = valid && g.input("valid", "B N", valid.shape, "bool");
          return { out: mixer(g, g.input("x", "B N C", x.shape), { rows, columns, valid: seen }) };
        });
        const node = graph.nodes.find(({ op }) => op.startsWith(name))!;
        const map = reshaped(transposed(whole(x.shape), [0, 2, 1]), [B, C, rows, columns]);
        const inputs = node.inputs.map((input): Operand => {
          const weight = drawn.all.get(input);
          if (weight) return { from: input, view: whole(weight.shape) };
          const { shape = [] } = graph.values.get(input) ?? {};
          return shape[1] === 1 && isPadded
            ? { from: "valid", view: whole([B, 1, rows, columns]) }
            : { from: "x", view: map };
        });
        const call = { attributes: node.attributes, inputs, out: "mixed", spare };
        const feeds = { x: x.data, ...(valid && { valid: valid.data }), ...dataOf(drawn.all) };
        const used = new Set(inputs.map(({ from }) => from));
        const fed = Object.fromEntries(Object.entries(feeds).filter(([of]) => used.has(of)));
        const out = await runOnce(device!, OPERATOR_KERNELS[node.op]!(call), fed, "mixed");
        const whatItShould = reference(
          x,
          { rows, columns, ...(valid && { valid }) },
          drawn.weights,
        );
        const gate = name === "contextAnchor";
        const got = noise("B C N", [B, C, rows * columns], 0);
        got.data.set(out);
        const wanted = whatItShould.data.map((value, at) => (gate ? value / x.data[at]! : value));
        expectClose(tokens(got), wanted, 1e-4);
      },
    );
  });

  test("heads that share keys, and a future that is hidden", async () => {
    const [B, H, G, N, M, D] = [1, 4, 2, 70, 75, 5];
    const q = noise("B H N D", [B, H, N, D], 1);
    const k = noise("B H M D", [B, G, M, D], 2);
    const v = noise("B H M E", [B, G, M, D], 3);
    const { of, feeds } = operands({ q, k, v });
    const out = await runOnce(device!, [flash("out", of, { causal: true })], feeds, "out");
    const mask = tensor("B H N M", [1, 1, N, M]);
    mask.data.forEach((_, at) => {
      mask.data[at] = isPast(N, M)(Math.floor(at / M), at % M) ? 1 : 0;
    });
    const each = M * D;
    const twice = <L extends string>({ layout, data }: Tensor<L>) => {
      const wide = new Float32Array(H * each);
      for (let h = 0; h < H; h++) {
        const group = Math.floor((h * G) / H);
        wide.set(data.subarray(group * each, (group + 1) * each), h * each);
      }
      return tensor(layout, [B, H, M, D], wide);
    };
    const wanted = scaledDotProduct.reference(q, twice(k), twice(v), { mask });
    expectClose(out, wanted.data, CLOSE);
  });
});

test("a query that sees no key gives zeros", async ({ skip }) => {
  if (!device) return skip();
  const q = noise("B H N D", [1, 1, 3, 4], 1);
  const mask = tensor("B H N M", [1, 1, 3, 3], Float32Array.of(1, 1, 1, 0, 0, 0, 0, 1, 0));
  const { of, feeds } = operands({ q, mask });
  const out = await runOnce(device, [flash("out", { q: of.q, k: of.q, v: of.q })], feeds, "out");
  expect([...out.subarray(4, 8)].every((value) => value !== 0)).toBe(true);
  const steps = [flash("out", { ...of, k: of.q, v: of.q, mask: of.mask })];
  const masked = await runOnce(device, steps, feeds, "out");
  expect([...masked.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
});

function padre(options: NonNullable<Parameters<typeof polynomial>[0]>) {
  return [polynomial(options), polynomialReference(options)] as const;
}

const dataOf = (all: ReadonlyMap<string, Tensor>) =>
  Object.fromEntries([...all].map(([of, { data }]) => [of, data]));

/** `[B C N]` as `[B N C]`. */
function tokens({ shape: [B = 0, C = 0, N = 0], data }: Tensor): Float32Array {
  return Float32Array.from({ length: B * N * C }, (_, at) => {
    const [b, n, c] = [Math.floor(at / N / C), Math.floor(at / C) % N, at % C];
    return data[(b * C + c) * N + n]!;
  });
}
