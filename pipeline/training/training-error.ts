/** Training cannot start or go on: the set is empty, or the loss is no number any more. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
  readonly code = "ERR_TRAINING";
}
