/** The check that every `Scene.read` begins with. */
import type { Level, ReadOptions, Scene, Window } from "../scene.ts";

export interface CheckedRequest {
  readonly level: Level;
  readonly levelIndex: number;
  readonly bands: readonly number[];
}

/** @throws {RangeError} where the level, the window or a band does not exist. */
export function checkRequest(
  { source, levels, bands }: Pick<Scene, "source" | "levels" | "bands">,
  window: Window,
  options: ReadOptions,
): CheckedRequest {
  options.signal?.throwIfAborted();
  const levelIndex = options.level ?? 0;
  const level = levels[levelIndex];
  if (level === undefined) {
    throw new RangeError(
      `read: ${source} has levels 0 to ${levels.length - 1}, received level ${levelIndex}`,
    );
  }
  const { x, y, width, height } = window;
  const inside =
    [x, y, width, height].every(Number.isInteger) &&
    x >= 0 &&
    y >= 0 &&
    width > 0 &&
    height > 0 &&
    x + width <= level.width &&
    y + height <= level.height;
  if (!inside) {
    throw new RangeError(
      `read: the window must lie inside level ${levelIndex} (${level.width} x ${level.height} px), ` +
        `received ${width} x ${height} at ${x},${y}`,
    );
  }
  const chosen = options.bands ?? bands.map((_, index) => index);
  const missing = chosen.find((band) => bands[band] === undefined);
  if (missing !== undefined || chosen.length === 0) {
    throw new RangeError(
      `read: bands must be in 0 to ${bands.length - 1}, received ${missing ?? "none"}`,
    );
  }
  return { level, levelIndex, bands: chosen };
}
