/** Operations of graphs on the WebGPU engine against ONNX Runtime, and what happens when something is wrong. */
import { afterAll, describe, expect, test, vi } from "vitest";
import type { OpenDevice, Value } from "../../../../attention/index.ts";
import {
  buildGraph,
  detector,
  fromHalf,
  inferenceGraph,
  initialWeights,
  toHalf,
} from "../../../../models/index.ts";
import type { GraphBuilder } from "../../../../models/index.ts";
import { loadNetwork, webgpuEngine } from "../../../../pipeline/engines/webgpu.ts";
import { gpuOfNode } from "../../../../pipeline/engines/webgpu-node.ts";
import { lower } from "../../../../pipeline/engines/webgpu/lower.ts";
import { headFile } from "../../../models/decode/heads.ts";
import { expectClose } from "../../../close.ts";
import { numbers } from "../../../numbers.ts";
import { runNative } from "../../../onnxruntime.ts";
import { openTestDevice } from "../../../webgpu.ts";

const device = await openTestDevice();
afterAll(async () => device?.[Symbol.asyncDispose]());

type Map4 = Value<"B C Y X">;
const SHAPE = [2, 4, 6, 8] as const;

/** Graphs of one input `x [2 4 6 8]`. */
const GRAPHS: Readonly<Record<string, (g: GraphBuilder, x: Map4) => Value>> = {
  "reductions of inner and outer axes": (g, x) =>
    g.add(
      g.add(g.reduce("mean", x, ["Y", "X"]), g.reduce("max", x, ["C"])),
      g.add(g.reduce("sum", x, ["B", "X"]), g.reduce("min", x, ["Y"])),
    ),
  "a chain of elementwise functions": (g, x) =>
    g.unary("gelu", g.sub(g.unary("silu", g.mul(x, 1.5)), g.unary("tanh", g.unary("abs", x)))),
  "more operands than one dispatch may bind": (g, x) =>
    Array.from({ length: 11 }, (_, i) =>
      g.buffer(`w${i}`, "C Y X", [4, 1, 1], numbers(4, i)),
    ).reduce<Map4>((sum, w, i) => (i % 2 === 0 ? g.add(sum, w) : g.mul(sum, w)), x),
  "powers of numbers on both sides of zero": (g, x) => {
    const away = g.where(g.binary("less", x, 0), g.sub(x, 0.5), g.add(x, 0.5));
    const each = g.buffer("each", "C Y X", [4, 1, 1], Float32Array.of(0, 5, 4, -3));
    const two = g.buffer("two", "C Y X", [1, 1, 1], Float32Array.of(2));
    const powers = [-1, 2, 3, -2, 7].map((by) => g.binary("pow", away, by));
    return g.concat([...powers, g.binary("pow", away, each), g.binary("pow", two, x)], "C");
  },
  "choices of an infinity, and numbers of more digits than whole ones have in shaders": (g, x) => {
    const some = g.where(g.binary("greater", x, 0), x, -Infinity);
    const least = g.binary("min", g.mul(x, 1e20), g.where(g.binary("less", x, 1), 2e19, Infinity));
    const edge = g.maxPool(g.pad(g.pad(x, "Y", 1, 1, -Infinity), "X", 1, 1, -Infinity), 3);
    return g.concat([g.softmax(some), g.mul(least, 1e-20), edge], "C");
  },
  "comparisons and choices": (g, x) =>
    g.where(g.binary("and", g.binary("less", x, 0.5), g.binary("greater", x, -0.5)), x, 9),
  "an output of truth": (g, x) => g.binary("greater", x, 0.25),
  "a roll": (g, x) => g.mul(g.concat([g.slice(x, "X", 3, 8), g.slice(x, "X", 0, 3)], "X"), 2),
  "parts of several kinds side by side": (g, x) =>
    g.concat([g.unary("exp", x), x, g.slice(x, "C", 1, 3)], "C"),
  "padding with a number": (g, x) => g.pad(g.pad(x, "Y", 1, 2, 7), "C", 0, 1),
  "turning, cutting and merging axes": (g, x) =>
    g.rearrange(g.slice(x, "Y", 2, 6), "B C (P Q) X -> (X B) Q (P C)", { Q: 2 }),
  "nearest by whole and broken factors": (g, x) =>
    g.resize(
      g.resize(x, { rows: 12, columns: 16 }, "nearest"),
      { rows: 9, columns: 20 },
      "nearest",
    ),
  "bilinear, larger and smaller": (g, x) => g.resize(x, { rows: 9, columns: 5 }, "bilinear"),
  "bicubic, as two products": (g, x) => g.resize(x, { rows: 9, columns: 5 }, "bicubic"),
  "rows picked by an index": (g, x) =>
    g.gather(x, "Y", g.constant("I", [4], BigInt64Array.of(5n, 0n, 0n, 3n)), "B C I X"),
  "a softmax of turned axes": (g, x) => g.softmax(g.rearrange(x, "B C Y X -> B Y X C")),
  "a softmax of long rows": (g, x) => g.softmax(g.rearrange(x, "B C Y X -> B (C Y X)")),
  "reductions of long rows": (g, x) =>
    g.add(
      g.add(g.reduce("mean", x, ["C", "Y", "X"]), g.reduce("max", x, ["C", "Y", "X"])),
      g.add(g.reduce("sum", x, ["B", "Y", "X"]), g.reduce("min", x, ["C", "Y", "X"])),
    ),
  "weights that are halves, and some that are not": (g, x) => {
    const halves = numbers(4 * 4 * 3 * 3, 8).map((v) => fromHalf(toHalf(v / 10)));
    halves.set([0, -0, 2 ** -24, -3 * 2 ** -20, 2 ** -14, 1000]);
    const w = g.buffer("w", "O I P Q", [4, 4, 3, 3], halves);
    const v = g.buffer("v", "O I P Q", [4, 4, 3, 3], numbers(144, 9));
    return g.conv(g.conv(x, w, undefined, { pad: 1 }), v, undefined, { pad: 1 });
  },
  "the input itself": (g, x) => g.rename(x, "B C Y X"),
  "transposed convolution, strided convolution, pools": (g, x) => {
    const w = (name: string, shape: readonly number[]) =>
      g.buffer(
        name,
        "O I P Q",
        shape,
        numbers(
          shape.reduce((a, b) => a * b),
          shape.length,
        ),
      );
    const up = g.convTranspose(x, w("up", [4, 3, 2, 2]), undefined, { stride: 2 });
    const down = g.conv(up, w("down", [6, 3, 3, 3]), undefined, { stride: 2, pad: 1 });
    return g.maxPool(g.averagePool(down, 3, { pad: 1 }), 2, { stride: 2 });
  },
};

const feeds = (data: Float32Array) => ({ x: { type: "float32", dims: SHAPE, data } }) as const;

const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);

const ROWS = Object.entries(GRAPHS).filter(([name]) => name.includes("long rows"));

/** The device with its rows joined by subgroups, however few lanes: all of one size, or WGSL promises nothing. */
function withSubgroups(device: OpenDevice): OpenDevice | undefined {
  const {
    features,
    adapterInfo: { subgroupMinSize, subgroupMaxSize },
  } = device.gpu;
  const isSure = features.has("subgroups") && subgroupMinSize === subgroupMaxSize;
  return isSure ? { ...device, subgroup: subgroupMinSize } : undefined;
}

const joining = device && withSubgroups(device);
if (device && !joining) console.warn("skipped: subgroups, since this device has none of one size");

describe.skipIf(!device)("on a device", () => {
  test.each([
    ...Object.entries(GRAPHS).map(([name, write]) => [name, write, device] as const),
    ...ROWS.flatMap(([name, write]) => [
      [`${name}, in workgroup memory`, write, { ...device!, subgroup: undefined }] as const,
      ...(joining ? [[`${name}, in subgroups`, write, joining] as const] : []),
    ]),
  ])("%s", async (_name, write, device) => {
    const graph = buildGraph("operations", (g) => ({
      out: write(g, g.input("x", "B C Y X", SHAPE)),
    }));
    const weights = initialWeights(graph);
    const x = numbers(384, 3);
    const wanted = await runNative(graph, weights, { x });
    await using session = await loadNetwork(device!, { graph, weights });
    const { out } = await session.run(feeds(x));
    expect(out?.type).toBe(graph.values.get(graph.outputs[0]!)?.type);
    expectClose(Float32Array.from(out!.data as Float32Array), wanted["out"]!, 2e-5);
  });

  test("a gate that is an output as well is there", async () => {
    const graph = buildGraph("gate", (g) => {
      const x = g.input("x", "B C Y X", SHAPE);
      const gate = g.unary("sigmoid", x);
      return { gate, out: g.mul(x, gate) };
    });
    const x = numbers(384, 3);
    const wanted = await runNative(graph, new Map(), { x });
    await using session = await loadNetwork(device!, { graph, weights: new Map() });
    const found = await session.run(feeds(x));
    for (const name of ["gate", "out"]) {
      expectClose(found[name]?.data as Float32Array, wanted[name]!, 2e-5, name);
    }
  });

  test("a broken power of a number below zero is none", async () => {
    const graph = buildGraph("powers", (g) => {
      const x = g.input("x", "B C Y X", SHAPE);
      return { out: g.concat([g.binary("pow", x, 0.5), g.binary("pow", x, 1.5)], "C") };
    });
    const x = numbers(384, 3);
    const wanted = await runNative(graph, new Map(), { x });
    await using session = await loadNetwork(device!, { graph, weights: new Map() });
    const found = (await session.run(feeds(x)))["out"]!.data as Float32Array;
    expect([...found].map(Number.isNaN)).toEqual([...wanted["out"]!].map(Number.isNaN));
    expectClose(found.map(orZero), wanted["out"]!.map(orZero), 2e-5);
    expect([...found].filter(Number.isNaN).length).toBeGreaterThan(100);
  });

  test("runs that overlap are answered in order, each with its own result", async () => {
    const graph = buildGraph("twice", (g) => ({ out: g.mul(g.input("x", "B C Y X", SHAPE), 2) }));
    await using session = await loadNetwork(device!, { graph, weights: new Map() });
    const submit = vi.spyOn(device!.gpu.queue, "submit");
    const data = new Float32Array(384);
    const order: number[] = [];
    const runs = [1, 2, 3].map(async (value) => {
      const { out } = await session.run(feeds(data.fill(value)));
      order.push(out!.data[0] as number);
    });
    const refused = session.run({}).catch(String);
    // The device has all of them before the first is read back, and arrays may be filled anew.
    expect(submit).toHaveBeenCalledTimes(3);
    submit.mockRestore();
    await Promise.all(runs);
    expect(await refused).toContain("input x");
    expect(order).toEqual([2, 4, 6]);
  });

  test("a lost device is said, and the next loads open another, one for all", async () => {
    const lost: GPUDevice[] = [];
    const gpu = await gpuOfNode();
    const watched: Pick<GPU, "requestAdapter"> = {
      requestAdapter: async () => {
        const adapter = await gpu!.requestAdapter();
        const request = adapter!.requestDevice.bind(adapter);
        adapter!.requestDevice = async (options) => {
          const made = await request(options);
          lost.push(made);
          return made;
        };
        return adapter;
      },
    };
    const engine = webgpuEngine(async () => watched as GPU);
    const graph = buildGraph("twice", (g) => ({ out: g.mul(g.input("x", "B C Y X", SHAPE), 2) }));
    const network = { graph, weights: new Map() };
    const session = await engine.load(network);
    lost[0]!.destroy();
    await lost[0]!.lost;
    const data = new Float32Array(384);
    await expect(session.run(feeds(data))).rejects.toThrow(/device must not be lost/);
    const loads = await Promise.all([engine.load(network), engine.load(network)]);
    for (const again of loads) {
      expect((await again.run(feeds(data)))["out"]?.data.length).toBe(384);
      await again[Symbol.asyncDispose]();
    }
    expect(lost).toHaveLength(2);
  });

  test("feeds that do not fit, and closed sessions, are refused with a sentence", async () => {
    const graph = buildGraph("twice", (g) => ({ out: g.mul(g.input("x", "B C Y X", SHAPE), 2) }));
    const session = await loadNetwork(device!, { graph, weights: new Map() });
    await expect(session.run({})).rejects.toThrow("input x must be float32 [2 4 6 8]");
    await session[Symbol.asyncDispose]();
    await expect(session.run(feeds(new Float32Array(384)))).rejects.toThrow("closed");
  });
});

describe("without a device", () => {
  const shape = { batch: 1, widthPx: 64, heightPx: 64 };

  test("a node without a kernel is named", () => {
    const graph = buildGraph("top", (g) => ({
      out: g.topK(g.input("x", "B N", [1, 8]), 3).values,
    }));
    expect(() => lower({ graph, weights: new Map() })).toThrow(/received TopK/);
  });

  test.each(["div", "pow"] as const)("%s of whole numbers is refused", (op) => {
    const graph = buildGraph("whole", (g) => {
      const x = g.input("x", "B N", [1, 8], "int64");
      return { out: g.binary(op, x, x) };
    });
    expect(() => lower({ graph, weights: new Map() })).toThrow(
      /must be of float32, received int64/,
    );
  });

  test("open sizes are refused, and there are no devices where there is no WebGPU", async () => {
    const engine = webgpuEngine(async () => undefined);
    const file = headFile({ image: ["batch", 3, 64, 64], outputs: {} });
    await expect(engine.load(file)).rejects.toThrow("every size must be fixed");
    expect(await engine.devices()).toEqual([]);
  });

  test("no adapter is said", async () => {
    const graph = buildGraph("twice", (g) => ({ out: g.mul(g.input("x", "B N", [1, 8]), 2) }));
    const engine = webgpuEngine(async () => undefined);
    await expect(engine.load({ graph, weights: new Map() })).rejects.toThrow(
      "adapter must be there",
    );
  });

  test("a shifted window costs no dispatch of its own, nor do bias and activation", () => {
    const network = detector({ family: "swin", size: "pico", mixer: "softmax", classes: 3 });
    const graph = inferenceGraph(network, { ...shape, widthPx: 320, heightPx: 320 });
    const { plan } = lower({ graph, weights: initialWeights(graph) });
    const labels = plan.steps.map(({ label }) => label.split(" ")[0]);
    const nodes = graph.nodes.length;
    expect(plan.steps.length).toBeLessThan(nodes / 2);
    expect(labels.filter((label) => label === "flash")).toHaveLength(8);
    expect(labels.filter((label) => label === "pad")).toHaveLength(2);
  });
});
