/** What is shown, as a file. */
import type { JSX } from "preact";
import type { ExportFormat } from "../messages.ts";
import type { SessionProps } from "./session.ts";

const FORMATS: readonly (readonly [ExportFormat, string])[] = [
  ["geojson", "GeoJSON"],
  ["csv", "CSV"],
  ["png", "PNG"],
];

export function ExportSection({ session }: SessionProps): JSX.Element | null {
  if (session.done.value === undefined) return null;
  return (
    <section aria-label="Export">
      <h2>Export what is shown</h2>
      <div class="buttons">
        {FORMATS.map(([format, title]) => (
          <button
            key={format}
            type="button"
            disabled={session.busy.value !== undefined}
            onClick={() => session.save(format)}
          >
            {title}
          </button>
        ))}
      </div>
    </section>
  );
}
