/** The page: a stage with the scene, and a panel beside it (under it on a phone). */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ExportSection } from "./export-section.tsx";
import { Lab, LabSection } from "./lab.tsx";
import { ModelSection } from "./model-section.tsx";
import { ObjectsSection } from "./objects-section.tsx";
import { RunSection } from "./run-section.tsx";
import { SceneSection, SourcePicker } from "./scene-section.tsx";
import { SelectedSection } from "./selected-section.tsx";
import type { SessionProps } from "./session.ts";
import { Stage } from "./stage.tsx";

export function App({ session }: SessionProps): JSX.Element {
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    if (/\.onnx$/i.test(file.name)) session.load({ kind: "file", file });
    else session.open(file);
  };
  return (
    <div
      class={over ? "page over" : "page"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.relatedTarget === null && setOver(false)}
      onDrop={drop}
    >
      <header class="top">
        <h1>Nadir</h1>
        <p>
          Objects in satellite imagery, found on this device. <strong>Nothing is uploaded.</strong>
        </p>
      </header>
      <main class="stage" aria-label="Viewer">
        {session.scene.value === undefined ? (
          <Welcome session={session} />
        ) : (
          <Stage session={session} key={session.scene.value} />
        )}
        <Lab session={session} />
      </main>
      <aside class="panel" aria-label="Detection">
        <Problem session={session} />
        <SceneSection session={session} />
        <ModelSection session={session} />
        <RunSection session={session} />
        <ObjectsSection session={session} />
        <SelectedSection session={session} />
        <ExportSection session={session} />
        <LabSection session={session} />
      </aside>
    </div>
  );
}

function Welcome({ session }: SessionProps): JSX.Element {
  return (
    <div class="welcome">
      <h2>Drop a GeoTIFF or a photo here</h2>
      <p>
        It is cut into tiles, each is looked at by a detector inside this page, and boxes appear as
        they are found. The file stays on this device.
      </p>
      <SourcePicker session={session} />
    </div>
  );
}

function Problem({ session: { problem } }: SessionProps): JSX.Element {
  return (
    <div role="alert">
      {problem.value !== undefined && (
        <div class="problem">
          <p>{problem.value}</p>
          <button type="button" aria-label="Dismiss" onClick={() => (problem.value = undefined)}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}
