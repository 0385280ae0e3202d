/** The slider and the legend: both filter at once, without another run. */
import type { JSX } from "preact";
import type { ClassRow, SessionProps } from "./session.ts";
import { counted, score, whole } from "./words.ts";

/** Longer legends leave out classes of which nothing was found. */
const ALL_SHOWN = 12;

export function ObjectsSection({ session }: SessionProps): JSX.Element | null {
  const { model, scoreAtLeast, shown, provisional, legend, settings } = session;
  if (model.value === undefined || session.scene.value === undefined) return null;
  const least = settings.value.scoreAtLeast ?? model.value.scoreAtLeast;
  const rows = legend.value.filter(({ count }) => legend.value.length <= ALL_SHOWN || count > 0);
  return (
    <section aria-label="Objects">
      <h2>{counted(shown.value.length + provisional.value.length, "object")} shown</h2>
      <label class="slider">
        <span>
          Confidence at least <output>{score(scoreAtLeast.value)}</output>
        </span>
        <input
          type="range"
          min={Math.min(least, scoreAtLeast.value)}
          max="1"
          step="0.01"
          value={scoreAtLeast.value}
          onInput={({ currentTarget }) => (scoreAtLeast.value = Number(currentTarget.value))}
        />
      </label>
      <ul class="legend">
        {rows.map((row) => (
          <LegendRow key={row.index} row={row} session={session} />
        ))}
      </ul>
    </section>
  );
}

interface LegendRowProps extends SessionProps {
  readonly row: ClassRow;
}

function LegendRow({ row, session: { hidden } }: LegendRowProps): JSX.Element {
  const toggle = (): void => {
    const next = new Set(hidden.value);
    if (!next.delete(row.index)) next.add(row.index);
    hidden.value = next;
  };
  return (
    <li>
      <label>
        <input type="checkbox" checked={!row.hidden} onChange={toggle} />
        <i style={{ background: row.colour }} aria-hidden="true" />
        <span class="name">{row.name}</span>
        <span class="count">{whole(row.count)}</span>
      </label>
    </li>
  );
}
