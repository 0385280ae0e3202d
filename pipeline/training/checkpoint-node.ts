/** Checkpoints: everything that training needs to go on as if it had never stopped. */
import { readFile } from "node:fs/promises";
import { writeWhole } from "../../datasets/node.ts";
import { readSafetensors, toFloat32, writeSafetensors, fromFloat32 } from "../../models/index.ts";

export interface Checkpoint {
  /** Epochs that are done. */
  readonly epoch: number;
  /** Steps that are done. */
  readonly step: number;
  /** What the run was started with; a run is resumed only with the same. */
  readonly recipe: string;
  readonly state: ReadonlyMap<string, Float32Array>;
}

/** Writes beside and renames: a checkpoint is whole or not there. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { epoch, step, recipe, state } = checkpoint;
  const tensors = new Map(
    [...state].map(([name, data]) => [name, fromFloat32([data.length], data)] as const),
  );
  const bytes = writeSafetensors(tensors, { epoch: `${epoch}`, step: `${step}`, recipe });
  await writeWhole(path, bytes);
}

/** @throws {ModelError} where the file is no checkpoint */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = readSafetensors(await readFile(path));
  return {
    epoch: Number(metadata["epoch"] ?? 0),
    step: Number(metadata["step"] ?? 0),
    recipe: metadata["recipe"] ?? "",
    state: new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)])),
  };
}
