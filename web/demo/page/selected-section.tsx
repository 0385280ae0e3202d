/** What is known of one object; the buttons walk through all of them without a mouse. */
import type { JSX } from "preact";
import type { FoundObject } from "../../../pipeline/index.ts";
import type { SessionProps } from "./session.ts";
import { metres, score, whole } from "./words.ts";

export function SelectedSection({ session }: SessionProps): JSX.Element | null {
  const { selected, shown } = session;
  if (shown.value.length === 0) return null;
  const object = selected.value;
  const place = object === undefined ? -1 : shown.value.indexOf(object);
  const go = (step: number): void => {
    const { length } = shown.value;
    const next = place < 0 ? (step > 0 ? 0 : length - 1) : (place + step + length) % length;
    session.goTo(shown.value[next]);
  };
  return (
    <section aria-label="Selected object">
      <div class="walk">
        <h2>{object === undefined ? "Click an object" : object.class}</h2>
        <button type="button" aria-label="Previous object" onClick={() => go(-1)}>
          ‹
        </button>
        <button type="button" aria-label="Next object" onClick={() => go(1)}>
          ›
        </button>
      </div>
      <div aria-live="polite">{object !== undefined && <Facts object={object} />}</div>
    </section>
  );
}

function Facts({ object }: { readonly object: FoundObject }): JSX.Element {
  const rows = [["Score", score(object.score)], ...measures(object)];
  return (
    <dl class="measures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function measures({ ground, lonLat, corners }: FoundObject): readonly (readonly string[])[] {
  if (ground === undefined || lonLat === undefined) {
    const side = (k: number): number =>
      Math.hypot(corners[k + 2]! - corners[k]!, corners[k + 3]! - corners[k + 1]!);
    const [a, b] = [side(0), side(2)];
    return [
      ["Length", `${whole(Math.max(a, b))} px`],
      ["Width", `${whole(Math.min(a, b))} px`],
    ];
  }
  const [lon, lat] = [0, 1].map((k) => (lonLat[k]! + lonLat[4 + k]!) / 2);
  return [
    ["Length", metres(ground.lengthM)],
    ["Width", metres(ground.widthM)],
    ["Bearing", `${ground.bearingDeg.toFixed(0)}°`],
    ["Place", `${lat!.toFixed(5)}, ${lon!.toFixed(5)}`],
  ];
}
