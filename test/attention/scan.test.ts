import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { describe } from "vitest";
import {
  finish,
  latent,
  merge,
  partial,
  reader,
  scaledDotProduct,
  selectiveScan,
  tensor,
} from "../../attention/index.ts";
import type { LatentOptions } from "../../attention/index.ts";
import { expectClose } from "../close.ts";
import { computing, drawnWeights, noise, someOf } from "./plain.ts";

describe("selectiveScan", () => {
  const sizes = fc.record({
    N: fc.integer({ min: 1, max: 20 }),
    seed: fc.nat(1000),
    masked: fc.boolean(),
  });

  prop.prop([sizes], { numRuns: 15 })("is the recurrence, one token after another", (drawn) => {
    const { N, seed, masked } = drawn;
    const [B, C, S] = [2, 3, 2];
    const { graph, put, read } = computing(drawnWeights(seed));
    const given = {
      u: noise("B C N", [B, C, N], seed),
      dt: noise("B C N", [B, C, N], seed + 1),
      A: tensor(
        "C S",
        [C, S],
        noise("C S", [C, S], 3).data.map((a) => -Math.abs(a)),
      ),
      B: noise("B S N", [B, S, N], seed + 2),
      C: noise("B S N", [B, S, N], seed + 4),
    };
    const valid = masked ? someOf("B N", [B, N], seed + 5) : undefined;
    const [u, dt, A, W, R] = [given.u, given.dt, given.A, given.B, given.C].map((t) =>
      reader(t),
    ) as [
      ReturnType<typeof reader>,
      ReturnType<typeof reader>,
      ReturnType<typeof reader>,
      ReturnType<typeof reader>,
      ReturnType<typeof reader>,
    ];
    const keep = valid ? reader(valid) : () => 1;
    const wanted = tensor("B C N", [B, C, N]);
    for (let b = 0; b < B; b++) {
      for (let c = 0; c < C; c++) {
        const h = [0, 0];
        for (let n = 0; n < N; n++) {
          const step = keep(b, n) * Math.log1p(Math.exp(dt(b, c, n)));
          for (let s = 0; s < S; s++) {
            h[s] = Math.exp(step * A(c, s)) * (h[s] ?? 0) + step * W(b, s, n) * u(b, c, n);
            const at = (b * C + c) * N + n;
            wanted.data[at] = (wanted.data[at] ?? 0) + R(b, s, n) * (h[s] ?? 0);
          }
        }
      }
    }
    const { y } = selectiveScan(graph, {
      u: put(given.u),
      dt: put(given.dt),
      A: put(given.A),
      B: put(given.B),
      C: put(given.C),
      valid: valid && put(valid, "bool"),
    });
    expectClose(read(y).data, wanted.data, 1e-5);
  });
});

describe("latent", () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 3 }),
    columns: fc.integer({ min: 1, max: 3 }),
    queryRank: fc.constantFrom(0, 5),
    seed: fc.nat(1000),
  });

  prop.prop([sizes], { numRuns: 15 })("is the same absorbed as naive", (drawn) => {
    const { rows, columns, queryRank, seed } = drawn;
    const options: LatentOptions = {
      heads: 2,
      queryRank,
      rank: 6,
      nope: 4,
      rope: 4,
      valueChannels: 3,
    };
    const x = noise("B N C", [2, rows * columns, 8], seed);
    const weights = drawnWeights(seed);
    const mixed = (form: "naive" | "absorbed") => {
      const { graph, put, read } = computing(weights);
      return read(latent({ ...options, form })(graph, put(x), { rows, columns })).data;
    };
    expectClose(mixed("absorbed"), mixed("naive"), 1e-6);
  });
});

describe("partial", () => {
  prop.prop([fc.nat(1000), fc.integer({ min: 1, max: 7 })], { numRuns: 15 })(
    "merges to the whole wherever the keys are cut, and in either order",
    (seed, cut) => {
      const q = noise("B H N D", [1, 2, 4, 3], seed);
      const k = noise("B H M D", [1, 2, 8, 3], seed + 1);
      const v = noise("B H M E", [1, 2, 8, 5], seed + 2);
      const mask = someOf("B H N M", [1, 1, 4, 8], seed + 3, 0.4);
      const { graph: g, put, read } = computing(drawnWeights(seed));
      const [Q, K, V, W] = [put(q), put(k), put(v), put(mask, "bool")];
      const part = (from: number, to: number) =>
        partial(g, Q, g.slice(K, "M", from, to), g.slice(V, "M", from, to), {
          mask: g.slice(W, "M", from, to),
        });
      const [a, b] = [part(0, cut), part(cut, 8)];
      const wanted = scaledDotProduct.reference(q, k, v, { mask }).data;
      expectClose(read(finish(g, merge(g, a, b))).data, wanted, 1e-5);
      expectClose(read(finish(g, merge(g, b, a))).data, wanted, 1e-5);
    },
  );
});
