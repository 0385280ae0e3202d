import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import * as models from "../../../models/index.ts";
import { numbers } from "../../numbers.ts";

/** The code of a README's first example, without imports, as a function of what it uses. */
function example(
  path: string,
  uses: readonly string[],
  gives: string,
): (...given: unknown[]) => unknown {
  const code = /```ts\n([^]*?)```/.exec(readFileSync(path, "utf8"))?.[1] ?? "";
  const body = code.replaceAll(/^import .*$/gm, "");
  // The example is our own file; running it is the test.
  // eslint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function(
    ...uses,
    `return (async () => { ${body}; return ${gives}; })()`,
  ) as () => unknown;
}

const all: Readonly<Record<string, unknown>> = { ...models };

describe("examples", () => {
  test("models/onnx/README.md builds a file that runs", async () => {
    const uses = ["buildGraph", "initialWeights", "simplify", "toOnnx"] as const;
    const run = example("models/onnx/README.md", uses, "bytes");
    const bytes = (await run(...uses.map((name) => all[name]))) as Uint8Array;
    const session = await InferenceSession.create(bytes);
    const tokens = new Tensor("float32", numbers(196 * 192, 1), [1, 196, 192]);
    expect((await session.run({ tokens }))["mixed"]?.dims).toEqual([1, 196, 192]);
    await session.release();
  });

  test("models/gradient/README.md takes a step that lowers the loss", async () => {
    const uses = [
      "adamW",
      "buildGraph",
      "initialWeights",
      "STEP",
      "toTrainingOnnx",
      "trainingStep",
    ] as const;
    const graphs: models.OnnxGraph[] = [];
    const spied = (...given: Parameters<typeof models.trainingStep>) => {
      const step = models.trainingStep(...given);
      graphs.push(step);
      return step;
    };
    let sessions: InferenceSession | undefined;
    const session = {
      async run(feeds: Record<string, ArrayLike<number>>) {
        const [step] = graphs;
        if (step === undefined) throw new Error("the example must write a step");
        sessions ??= await InferenceSession.create(models.toTrainingOnnx(step));
        const tensors = Object.entries(feeds).map(([name, data]) => [
          name,
          new Tensor("float32", Float32Array.from(data), step.values.get(name)?.shape ?? []),
        ]);
        const outputs = await sessions.run(Object.fromEntries(tensors) as Record<string, Tensor>);
        return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
      },
    };
    const given: Record<string, unknown> = { ...all, trainingStep: spied };
    const run = example(
      "models/gradient/README.md",
      [...uses, "batch", "rate", "session"],
      "{ feeds, outputs, stored }",
    );
    const batch = { x: numbers(32, 1), target: numbers(16, 2) };
    const { feeds, outputs, stored } = (await run(
      ...uses.map((name) => given[name]),
      batch,
      [0.05],
      session,
    )) as {
      feeds: Record<string, ArrayLike<number>>;
      outputs: Record<string, Float32Array>;
      stored: Map<string, Float32Array>;
    };
    const next = await session.run({ ...feeds, ...Object.fromEntries(stored) });
    expect(Number(next["loss"]?.[0])).toBeLessThan(outputs["loss"]?.[0] ?? 0);
    await sessions?.release();
  });
});
