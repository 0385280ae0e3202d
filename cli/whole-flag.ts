/** Flags that are counts. */
import { SettingsError } from "../pipeline/index.ts";

/** @throws {SettingsError} where the text is no whole number from 1, or no multiple of `multiple` */
export function wholeFlag(command: string, flag: string, text: string, multiple: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value % multiple === 0) return value;
  const must = multiple === 1 ? "a whole number from 1" : `a multiple of ${multiple}`;
  throw new SettingsError(`${command}: --${flag} must be ${must}, received ${text}`);
}
