/** Kernels that have no operator of their own, on a device, against plain loops. */
import { afterAll, describe, expect, test, vi } from "vitest";
import {
  computed,
  convolution,
  convolved,
  copied,
  depthwise,
  flash,
  matmul,
  multiHead,
  planMemory,
  prepare,
  reader,
  relativeBias,
  runOnce,
  scaledDotProduct,
  shifted,
  sum,
  whole,
  windowed,
  windowedAttention,
} from "../../../attention/index.ts";
import { expectClose } from "../../close.ts";
import { openTestDevice, operands } from "../../webgpu.ts";
import { computing, drawnWeights, noise } from "../plain.ts";

const CLOSE = 3e-5;
const device = await openTestDevice();
afterAll(async () => device?.[Symbol.asyncDispose]());

describe.skipIf(!device)("on a device", () => {
  test.each([0, 2])("windows shifted by %i are cut, rolled and undone in place", async (shift) => {
    const [B, rows, columns, size, heads, C] = [2, 8, 12, 4, 2, 8];
    const N = rows * columns;
    const x = noise("B N C", [B, N, C], 5);
    const drawn = drawnWeights(7);
    const { graph, put, read } = computing(drawn);
    const inside = multiHead(scaledDotProduct, {
      ...{ heads, projections: "packed", place: relativeBias },
    });
    const mixer = shift === 0 ? windowed(inside, { size }) : shifted(inside, { size, shift });
    const wanted = read(mixer(graph, put(x), { rows, columns })).data;
    const linear = (of: typeof x, name: string) => {
      const [W, b, T] = [`${name}.weight`, `${name}.bias`]
        .map((n) => reader(drawn.weights(n)))
        .concat([reader(of)]);
      const O = drawn.weights(`${name}.weight`).shape[0]!;
      return computed(
        "B N C",
        [B, N, O],
        (i, n, o) => sum(C, (c) => W!(o, c) * T!(i, n, c)) + b!(o),
      );
    };
    const { of, feeds } = operands({
      qkv: linear(x, "qkv"),
      table: drawn.weights("relative_position_bias_table"),
    });
    const step = windowedAttention("out", of, { rows, columns, size, heads, shift });
    const mixed = noise("B N C", [B, N, C], 0);
    mixed.data.set(await runOnce(device!, [step], feeds, "out"));
    expectClose(linear(mixed, "proj").data, wanted, CLOSE);
  });

  test.each([true, false])("products and convolutions, tiled: %s", async (tiled) => {
    const a = noise("B M K", [2, 35, 19], 1);
    const b = noise("B K N", [2, 19, 37], 2);
    const x = noise("B C Y X", [1, 5, 9, 7], 3);
    const weight = noise("O I P Q", [6, 5, 3, 3], 4);
    const { of, feeds } = operands({ a, b, x, weight });
    const product = await runOnce(device!, [matmul("out", of.a, of.b, { tiled })], feeds, "out");
    const [A, C] = [reader(a), reader(b)];
    const wanted = computed("B M N", [2, 35, 37], (i, m, n) =>
      sum(19, (k) => A(i, m, k) * C(i, k, n)),
    );
    expectClose(product, wanted.data, CLOSE);
    const window = { size: [3, 3], pad: [1, 1], tiled } as const;
    const map = await runOnce(
      device!,
      [convolution("out", of.x, of.weight, window, [9, 7])],
      feeds,
      "out",
    );
    expectClose(map, convolved(x, weight).data, CLOSE);
  });

  test("a convolution of groups, with a stride", async () => {
    const x = noise("B C Y X", [2, 6, 8, 8], 3);
    const weight = noise("O I P Q", [9, 2, 3, 3], 4);
    const { of, feeds } = operands({ x, weight });
    const options = { size: [3, 3], pad: [1, 1], stride: [2, 2], groups: 3 } as const;
    const step = convolution("out", of.x, of.weight, options, [4, 4]);
    const map = await runOnce(device!, [step], feeds, "out");
    const every = reader(convolved(x, weight));
    const wanted = computed("B C Y X", [2, 9, 4, 4], (b, o, y, z) => every(b, o, 2 * y, 2 * z));
    expectClose(map, wanted.data, CLOSE);
  });
});

test("a program that is closed in mid-run gives its result, and every buffer back", async ({
  skip,
}) => {
  if (!device) return skip();
  const { gpu } = device;
  const create = gpu.createBuffer.bind(gpu);
  const made: { readonly destroy: unknown }[] = [];
  const spy = vi.spyOn(gpu, "createBuffer").mockImplementation((wanted) => {
    const buffer = create(wanted);
    vi.spyOn(buffer, "destroy");
    made.push(buffer);
    return buffer;
  });
  const steps = [copied("out", { from: "x", view: whole([4]) })];
  const plan = { steps, inputs: { x: 4 }, constants: new Map(), outputs: { out: 4 } };
  const program = await prepare(device, plan);
  const running = program.run({ x: Float32Array.of(1, 2, 3, 4) });
  await program[Symbol.asyncDispose]();
  expect((await running)["out"]).toEqual(Float32Array.of(1, 2, 3, 4));
  spy.mockRestore();
  expect(made).toHaveLength(3);
  for (const { destroy } of made) expect(destroy).toHaveBeenCalledOnce();
});

test("what exceeds the device is refused with a sentence before anything runs", async ({
  skip,
}) => {
  if (!device) return skip();
  const x = { from: "x", view: whole([70_000, 1, 4, 4]) };
  const step = flash("out", { q: x, k: x, v: x });
  const plan = { constants: new Map(), outputs: { out: 1 } };
  const tall = prepare(device, { ...plan, steps: [step], inputs: { x: 16 } });
  await expect(tall).rejects.toThrow(/at most 65535 workgroups .* take smaller tiles or batches/);
  const large = prepare(device, { ...plan, steps: [], inputs: { x: 2 ** 40 } });
  await expect(large).rejects.toThrow(/a tensor must be at most \d+ bytes/);
});

test("a tensor's memory is taken again when nobody reads it any more", () => {
  const filter = (to: string, from: string) =>
    depthwise(
      to,
      {
        x: { from, view: whole([1, 2, 4, 4]) },
        weight: { from: "w", view: whole([2, 1, 3, 3]) },
      },
      { size: [3, 3], pad: [1, 1] },
      [4, 4],
    );
  const steps = [filter("a", "x"), filter("b", "a"), filter("c", "b"), filter("d", "c")];
  const { buffers, bufferOf } = planMemory(steps, ["d"]);
  expect(buffers).toEqual([32, 32]);
  expect(bufferOf.get("a")).not.toBe(bufferOf.get("b"));
  expect(bufferOf.get("c")).toBe(bufferOf.get("a"));
});
