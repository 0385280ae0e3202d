/** Run, progress, cancel, and what a run may be told. */
import type { JSX } from "preact";
import type { RunSettings } from "../messages.ts";
import type { SessionProps } from "./session.ts";
import { counted, duration, whole } from "./words.ts";

const MERGES = ["nms", "soft-nms", "nmm", "wbf", "none"] as const;

export function RunSection({ session }: SessionProps): JSX.Element | null {
  const { scene, busy, progress, notes } = session;
  if (scene.value === undefined && busy.value === undefined) return null;
  const running = progress.value !== undefined;
  return (
    <section aria-label="Run">
      <div class="buttons">
        {running ? (
          <button type="button" class="main" onClick={session.cancel}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            class="main"
            disabled={scene.value === undefined || busy.value !== undefined}
            onClick={session.detect}
          >
            Detect again
          </button>
        )}
      </div>
      <Progress session={session} />
      {notes.value.map((note) => (
        <p class="note" key={note}>
          {note}
        </p>
      ))}
      <Diagnosis session={session} />
      <Advanced session={session} />
    </section>
  );
}

function Progress({ session }: SessionProps): JSX.Element {
  const { progress, busy, done } = session;
  const tiles = progress.value;
  return (
    <>
      {tiles !== undefined && (
        <progress
          max={tiles.total}
          value={tiles.total === undefined ? undefined : tiles.done}
          aria-label="Tiles looked at"
        />
      )}
      {/* Tiles are too many to be read out; the bar above says where they are. */}
      <p class="facts" role="status" aria-live={tiles === undefined ? "polite" : "off"}>
        {tiles !== undefined
          ? tiles.total === undefined
            ? "Planning the run…"
            : `${whole(tiles.done)} of ${counted(tiles.total, "tile")}`
          : busy.value !== undefined
            ? `${busy.value}…`
            : done.value !== undefined
              ? summary(done.value)
              : ""}
      </p>
    </>
  );
}

function summary({ objects, cancelled, elapsedMs }: NonNullable<DoneValue>): string {
  const found = `${counted(objects.length, "object")} in ${duration(elapsedMs)}`;
  return cancelled ? `Cancelled: ${found}` : found;
}
type DoneValue = SessionProps["session"]["done"]["value"];

/** What the run has to say of itself: resampling, stretch, and why nothing was found. */
function Diagnosis({ session: { done } }: SessionProps): JSX.Element | null {
  const report = done.value?.report;
  if (report === undefined) return null;
  const { resampling, stretch, bands, tiles, warnings, diagnosis, objects } = report;
  const skipped = tiles.nodata + tiles.blank;
  return (
    <>
      {objects === 0 &&
        diagnosis.map((line) => (
          <p class="note" key={line}>
            {line}
          </p>
        ))}
      <details>
        <summary>How it was looked at</summary>
        <ul>
          <li>{resampling}</li>
          <li>stretch: {stretch}</li>
          <li>bands: {bands}</li>
          <li>
            {counted(tiles.detected, "tile")} looked at, {whole(skipped)} empty
          </li>
          {warnings.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </details>
    </>
  );
}

/** Settings that hold from the next run on. */
function Advanced({ session }: SessionProps): JSX.Element {
  const { settings, model, scene } = session;
  const set = (change: RunSettings): void => {
    settings.value = { ...settings.value, ...change };
  };
  const { scoreAtLeast, overlapPx, merge, sceneGsdM, otherScales = false } = settings.value;
  const scales = model.value?.scales ?? [];
  return (
    <details>
      <summary>Settings of the next run</summary>
      <label>
        <span>Keep scores from</span>
        <input
          type="number"
          min="0.01"
          max="1"
          step="0.01"
          value={scoreAtLeast}
          placeholder={String(model.value?.scoreAtLeast ?? "")}
          onChange={({ currentTarget }) => set({ scoreAtLeast: numberIn(currentTarget) })}
        />
      </label>
      <label>
        <span>Tile overlap, px</span>
        <input
          type="number"
          min="0"
          step="1"
          value={overlapPx}
          placeholder={String(model.value?.overlapPx ?? "")}
          onChange={({ currentTarget }) => set({ overlapPx: numberIn(currentTarget) })}
        />
      </label>
      <label>
        <span>Merging</span>
        <select
          value={merge ?? "nms"}
          onChange={({ currentTarget }) =>
            set({ merge: MERGES.find((name) => name === currentTarget.value) })
          }
        >
          {MERGES.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {scales.length > 0 && (
        <label>
          <span>
            Look at scales {scales.join(" and ")} too, as the command line does: finds more
          </span>
          <input
            type="checkbox"
            checked={otherScales}
            onChange={({ currentTarget }) => set({ otherScales: currentTarget.checked })}
          />
        </label>
      )}
      {scene.value?.gsdM === undefined && (
        <label>
          <span>Metres per pixel</span>
          <input
            type="number"
            min="0.001"
            step="any"
            value={sceneGsdM}
            placeholder="unknown"
            onChange={({ currentTarget }) => set({ sceneGsdM: numberIn(currentTarget) })}
          />
        </label>
      )}
    </details>
  );
}

const numberIn = ({ value }: HTMLInputElement): number | undefined =>
  value === "" ? undefined : Number(value);
