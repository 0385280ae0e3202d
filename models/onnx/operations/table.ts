/** Every operation that a graph may hold. */
import { ALGEBRA } from "./algebra.ts";
import { CONVOLUTION } from "./convolution.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { LAYOUT } from "./layout.ts";
import { NORMALISATION } from "./normalisation.ts";
import type { Operation } from "./operation.ts";
import { POOLING } from "./pooling.ts";
import { RESAMPLING } from "./resampling.ts";

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ELEMENTWISE,
  ...ALGEBRA,
  ...LAYOUT,
  ...CONVOLUTION,
  ...POOLING,
  ...NORMALISATION,
  ...RESAMPLING,
};

/** @throws {TypeError} for an operation that is not in the table. */
export function operation(name: string): Operation {
  const found = OPERATIONS[name];
  if (found === undefined) throw new TypeError(`graph: no operation is called ${name}`);
  return found;
}
