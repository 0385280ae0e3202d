/** A setting is unknown, out of range, or does not fit the others: the caller's fault. */
export class SettingsError extends RangeError {
  override readonly name = "SettingsError";
  readonly code = "ERR_SETTINGS";
}
