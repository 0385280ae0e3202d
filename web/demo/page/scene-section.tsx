/** Which scene is open, and how to open another one. */
import type { JSX } from "preact";
import type { SessionProps } from "./session.ts";
import { FileButton } from "./file-button.tsx";
import { resolution, whole } from "./words.ts";

/** The sample of `npm start`: a square kilometre in half-metre pixels. */
const SAMPLE = { seed: 20, sidePx: 2048 };

export function SourcePicker({ session }: SessionProps): JSX.Element {
  return (
    <div class="buttons">
      <FileButton
        label="Choose a file"
        accept=".tif,.tiff,image/tiff,image/png,image/jpeg,image/webp"
        onFile={session.open}
      />
      <button type="button" onClick={() => session.open(SAMPLE)}>
        Try a sample
      </button>
    </div>
  );
}

export function SceneSection({ session }: SessionProps): JSX.Element | null {
  const scene = session.scene.value;
  if (scene === undefined) return null;
  const { name, width, height, bands, sampleType, crs, gsdM, warnings, format } = scene;
  const facts = [
    `${format}, ${whole(width)} × ${whole(height)} px`,
    `${bands} × ${sampleType}`,
    ...(crs === undefined ? [] : [crs]),
    ...(gsdM === undefined ? [] : [`${resolution(gsdM)} per pixel`]),
  ];
  return (
    <section aria-label="Scene">
      <h2>{name}</h2>
      <p class="facts">{facts.join(" · ")}</p>
      {warnings.map((warning) => (
        <p class="note" key={warning}>
          {warning}
        </p>
      ))}
      <SourcePicker session={session} />
    </section>
  );
}
