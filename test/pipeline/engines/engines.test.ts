import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { createEngine, type Engine, type EngineTensor } from "../../../pipeline/index.ts";
import { NODE_ENGINES } from "../../../pipeline/node.ts";
import { writeModel } from "../../../models/index.ts";
import { modelOf, port } from "../../models/decode/heads.ts";

/** y = x + x. */
const DOUBLE = writeModel(
  modelOf(
    { image: ["batch", 2], imageName: "x" },
    {
      node: [{ opType: "Add", input: ["x", "x"], output: ["y"] }],
      output: [port("y", "float32", ["batch", 2])],
    },
  ),
);

/** y = x + x, z = −x, all of one size. */
const FIXED = writeModel(
  modelOf(
    { image: [1, 2], imageName: "x" },
    {
      node: [
        { opType: "Add", input: ["x", "x"], output: ["y"] },
        { opType: "Neg", input: ["x"], output: ["z"] },
      ],
      output: [port("y", "float32", [1, 2]), port("z", "float32", [1, 2])],
    },
  ),
);

const float = (...values: number[]): EngineTensor => ({
  type: "float32",
  dims: [values.length / 2, 2],
  data: Float32Array.from(values),
});

/** All that run any file; `webgpu` takes networks of fixed sizes and has tests of its own. */
const names = Object.keys(NODE_ENGINES).filter((name) => name !== "webgpu");
const engine = (name: string): Promise<Engine> => createEngine(name, NODE_ENGINES);

describe.each(names)("%s", (name) => {
  test("says what goes in and out; open axes are undefined", async () => {
    await using session = await (await engine(name)).load(DOUBLE);
    expect(session.inputs).toEqual([{ name: "x", type: "float32", dims: [undefined, 2] }]);
    expect(session.outputs).toEqual([{ name: "y", type: "float32", dims: [undefined, 2] }]);
  });

  test("takes memory that it lent, and no other: a part of it and a caller's own stay as they are", async () => {
    await using session = await (await engine(name)).load(DOUBLE);
    const { allocate = (length: number) => new Float32Array(length) } = session;
    const doubled = async (data: Float32Array) => {
      const { y } = await session.run({ x: { type: "float32", dims: [data.length / 2, 2], data } });
      return Array.from(y!.data, Number);
    };
    for (let round = 1; round <= 6; round++) {
      // Sizes come back, so that used memory is filled again.
      const values = Array.from({ length: 4 + 2 * (round % 3) }, (_, i) => round + i);
      const twice = values.map((value) => 2 * value);
      const [lent, own] = [allocate(values.length), Float32Array.from(values)];
      lent.set(values);
      expect(await doubled(lent.subarray(0, 2))).toEqual(twice.slice(0, 2));
      expect(lent).toEqual(own);
      expect(await Promise.all([doubled(lent), doubled(own)])).toEqual([twice, twice]);
      expect(own).toEqual(Float32Array.from(values));
      expect(lent).toHaveLength(session.allocate === undefined ? values.length : 0);
    }
  });

  test("answers calls that overlap, in order", async () => {
    await using session = await (await engine(name)).load(DOUBLE);
    const order: number[] = [];
    const runs = [1, 2, 3].map(async (v) => {
      const { y } = await session.run({ x: float(v, -v) });
      order.push(v);
      return Array.from(y!.data, Number);
    });
    expect(await Promise.all(runs)).toEqual([
      [2, -2],
      [4, -4],
      [6, -6],
    ]);
    expect(order).toEqual([1, 2, 3]);
  });

  test("a view into a larger array is fed as what it shows, and stays usable", async () => {
    await using session = await (await engine(name)).load(DOUBLE);
    const all = Float32Array.of(1, 2, 3, 4);
    const x: EngineTensor = { type: "float32", dims: [1, 2], data: all.subarray(2) };
    for (let i = 0; i < 2; i++) {
      const { y } = await session.run({ x });
      expect(y).toEqual({ type: "float32", dims: [1, 2], data: Float32Array.of(6, 8) });
    }
    expect(all).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  test("what it gave can be given back run after run, and results that were kept stay as they are", async () => {
    await using session = await (await engine(name)).load(FIXED);
    const gives = new Set(["x"]);
    let x = float(1, -1);
    const kept: EngineTensor[] = [];
    for (let i = 0; i < 5; i++) {
      const { y, z } = await session.run({ x }, i === 0 ? {} : { gives });
      kept.push(z!);
      x = y as EngineTensor & { readonly type: "float32" };
    }
    expect(Array.from(x.data, Number)).toEqual([32, -32]);
    expect(kept.map(({ data }) => Array.from(data, Number))).toEqual(
      [-1, -2, -4, -8, -16].map((v) => [v, -v]),
    );
  });

  test("an abort stops runs that have not begun, and leaves the session usable", async () => {
    await using session = await (await engine(name)).load(DOUBLE);
    const stop = new AbortController();
    const first = session.run({ x: float(1, 2) });
    const second = session.run({ x: float(1, 2) }, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    expect((await first)["y"]?.dims).toEqual([1, 2]);
    expect((await session.run({ x: float(5, 5) }))["y"]?.data[0]).toBe(10);
  });

  test("half precision goes in and out as float32", async () => {
    const bytes = writeModel(
      modelOf(
        { image: [1, 2], imageName: "x", imageType: "float16" },
        {
          node: [{ opType: "Add", input: ["x", "x"], output: ["y"] }],
          output: [port("y", "float16", [1, 2])],
        },
      ),
    );
    await using session = await (await engine(name)).load(bytes);
    expect(session.inputs[0]?.type).toBe("float16");
    const { y } = await session.run({ x: float(0.5, -3) });
    expect(y).toEqual({ type: "float32", dims: [1, 2], data: Float32Array.of(1, -6) });
  });

  test("bytes that are no model are a ModelError", async () => {
    const load = (await engine(name)).load(Uint8Array.of(1, 2, 3, 4));
    await expect(load).rejects.toMatchObject({ code: "ERR_MODEL" });
    await expect(load).rejects.toThrow(/the model must load, received .+/);
  });

  test("feeds that do not fit are a ModelError on one line", async () => {
    await using session = await (await engine(name)).load(DOUBLE);
    const x: EngineTensor = { type: "float32", dims: [1, 3], data: new Float32Array(3) };
    await expect(session.run({ x })).rejects.toMatchObject({ code: "ERR_MODEL" });
    await expect(session.run({})).rejects.toThrow(/input x must be fed/);
    await expect(session.run({ x })).rejects.not.toThrow(/\n/);
  });

  test("a device that is not there is a DeviceError that lists the others", async () => {
    const load = (await engine(name)).load(DOUBLE, { device: "abacus" });
    await expect(load).rejects.toMatchObject({ code: "ERR_DEVICE" });
    await expect(load).rejects.toThrow(/device must be .*received abacus/);
  });

  test("a closed session refuses to run, and may be closed twice", async () => {
    const session = await (await engine(name)).load(DOUBLE);
    await session[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    await expect(session.run({ x: float(1, 2) })).rejects.toThrow(/after it was closed/);
  });
});

describe("onnxruntime-node", () => {
  test("runs beside the event loop, not in it", async () => {
    // 2,048³ multiply-adds: far longer than a turn of the loop.
    const side = 2048;
    const bytes = writeModel(
      modelOf(
        { image: [side, side], imageName: "x" },
        {
          node: [{ opType: "MatMul", input: ["x", "x"], output: ["y"] }],
          output: [port("y", "float32", [side, side])],
        },
      ),
    );
    await using session = await (await engine("onnxruntime-node")).load(bytes, { threads: 1 });
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    const data = new Float32Array(side * side);
    await session.run({ x: { type: "float32", dims: [side, side], data } });
    clearInterval(clock);
    expect(turns).toBeGreaterThan(5);
  });

  test("a session that nobody closes does not keep the process alive", () => {
    const script = `
      import { onnxruntimeNode } from "./pipeline/engines/onnxruntime-node.ts";
      const model = Uint8Array.from(Buffer.from("${Buffer.from(DOUBLE).toString("base64")}", "base64"));
      const session = await onnxruntimeNode.load(model);
      const x = { type: "float32", dims: [1, 2], data: Float32Array.of(1, 2) };
      console.log((await session.run({ x })).y.data.join());
    `;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const { stdout, status } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect({ stdout, status }).toEqual({ stdout: "2,4\n", status: 0 });
  });
});

describe("createEngine", () => {
  test("takes the first of the table by default", async () => {
    expect((await createEngine(undefined, NODE_ENGINES)).name).toBe("onnxruntime-node");
    expect((await createEngine()).name).toBe("onnxruntime-web");
  });

  test("names the engines there are", async () => {
    await expect(createEngine("steam", NODE_ENGINES)).rejects.toThrow(
      "name must be one of onnxruntime-node, onnxruntime-web, webgpu, received steam",
    );
  });
});
