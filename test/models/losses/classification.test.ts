import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { tensor } from "../../../attention/index.ts";
import { distributionLoss } from "../../../models/losses/classification.ts";
import { eager } from "../../eager.ts";

const BINS = 6;

test.prop([
  fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: BINS, maxLength: BINS }),
  fc.double({ min: 0, max: BINS - 1.01, noNaN: true }),
])("the distribution loss is cross-entropy towards the bins on either side", (logits, at) => {
  const { graph: g, put, doubles } = eager(() => new Float32Array());
  const [rounded, y] = [Float32Array.from(logits), Math.fround(at)];
  const given = distributionLoss(
    g,
    put(tensor("B N F J", [1, 1, 1, BINS], rounded)),
    put(tensor("B N F A", [1, 1, 1, 1], Float32Array.of(y))),
    BINS,
  );
  const total = Math.log(rounded.reduce((sum, x) => sum + Math.exp(x), 0));
  const cost = (bin: number): number => total - (rounded[bin] ?? 0);
  const below = Math.floor(y);
  const expected = cost(below) * (below + 1 - y) + cost(below + 1) * (y - below);
  expect(doubles(given)[0]).toBeCloseTo(expected, 6);
});
