/** Which model looks, on which backend, and how fast that was measured to be. */
import type { JSX } from "preact";
import type { Measured, ModelReady } from "../messages.ts";
import { SHIPPED } from "../shipped.ts";
import type { SessionProps } from "./session.ts";
import { FileButton } from "./file-button.tsx";
import { counted, duration, size } from "./words.ts";

const TITLES = {
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  "ort-webgpu": "ONNX Runtime's WebGPU",
} as const;
/** What a comparison fetches, once, compressed. */
const FETCHES = {
  webgpu: "",
  wasm: " (fetches ONNX Runtime, 2.5 MB, once)",
  "ort-webgpu": " (fetches another build of ONNX Runtime, 4.2 MB, once)",
} as const;

const BUILT_IN = "built-in";

/** What the list shows: nothing for a file of one's own. */
function chosen(model: ModelReady | undefined): string {
  if (model === undefined) return "";
  if (SHIPPED.some(({ name }) => name === model.name)) return model.name;
  return model.name === "matched filters" ? BUILT_IN : "";
}

export function ModelSection({ session }: SessionProps): JSX.Element {
  const model = session.model.value;
  return (
    <section aria-label="Model">
      <h2>Model</h2>
      {model === undefined ? (
        <p class="facts">
          A trained detector of ours, the built-in matched filters for ships, vehicles and storage
          tanks of synthetic scenes, or an ONNX detector of your own.
        </p>
      ) : (
        <Card model={model} />
      )}
      <div class="buttons">
        <FileButton
          label="Use your own .onnx"
          accept=".onnx"
          onFile={(file) => session.load({ kind: "file", file })}
        />
      </div>
      <label class="choice">
        Detector
        <select
          value={chosen(model)}
          onChange={({ currentTarget: { value } }) =>
            value !== "" &&
            session.load(
              value === BUILT_IN ? { kind: "built-in" } : { kind: "shipped", name: value },
            )
          }
        >
          <option value="">choose one</option>
          <option value={BUILT_IN}>built-in matched filters</option>
          {SHIPPED.map(({ name, classes }) => (
            <option key={name} value={name}>
              {name}: {classes.join(", ")}
            </option>
          ))}
        </select>
      </label>
      {model !== undefined && <Backends model={model} onCompare={session.compare} />}
    </section>
  );
}

function Card({ model }: { readonly model: ModelReady }): JSX.Element {
  const { name, sizeBytes, licence, classes, head, notices } = model;
  const facts = [
    name,
    counted(classes.length, "class", "classes"),
    size(sizeBytes),
    ...(licence === undefined ? [] : [licence]),
  ];
  return (
    <>
      <p class="facts">{facts.join(" · ")}</p>
      <details>
        <summary>What was recognised</summary>
        <p>{head}</p>
        {notices.map((notice) => (
          <p key={notice}>{notice}</p>
        ))}
      </details>
    </>
  );
}

interface BackendsProps {
  readonly model: ModelReady;
  readonly onCompare: () => void;
}

function Backends({ model, onCompare }: BackendsProps): JSX.Element {
  const { measured, chosen, next, threads } = model;
  return (
    <>
      <ul class="backends" aria-label="Backends, measured on one tile">
        {measured.map((one) => (
          <li key={one.backend} class={one.backend === chosen ? "badge chosen" : "badge"}>
            {badge(one)}
          </li>
        ))}
      </ul>
      {next !== undefined && (
        <p class="note">
          <button type="button" class="link" onClick={onCompare}>
            Compare with {TITLES[next]}
          </button>
          {FETCHES[next]}
        </p>
      )}
      {chosen === "wasm" && threads.now === 1 && threads.isolated > 1 && (
        <p class="note">
          WebAssembly runs on one thread here. Served with cross-origin isolation (the headers COOP
          and COEP) it would use {threads.isolated}.
        </p>
      )}
    </>
  );
}

/** `WebGPU 41 ms/tile (scores differ by 3e-4 at most)`. */
function badge({ backend, msPerTile, difference, reason }: Measured): string {
  if (msPerTile === undefined) return `${TITLES[backend]} cannot be used: ${reason ?? "no reason"}`;
  const same = difference === 0 ? "" : ` (scores differ by ${difference.toExponential(0)} at most)`;
  return `${TITLES[backend]} ${duration(msPerTile)}/tile${same}`;
}
