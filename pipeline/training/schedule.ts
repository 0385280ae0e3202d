/** Learning rate over a run: a linear warm-up, then half a cosine down to a share of the peak. */
export interface ScheduleOptions {
  readonly peak: number;
  readonly warmupSteps: number;
  readonly steps: number;
  /** Last rate as a share of the peak. @default 0.02 */
  readonly floor?: number;
}

/** The rate of step `step`, 0-based. Loshchilov & Hutter, "SGDR", 2017, arXiv:1608.03983. */
export function learningRate(
  step: number,
  { peak, warmupSteps, steps, floor = 0.02 }: ScheduleOptions,
): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
  return peak * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2);
}
