/** The attention lab: what a chosen patch takes notice of, operator by operator, and what that costs. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LabResult, LabRow } from "../messages.ts";
import type { SessionProps } from "./session.ts";
import { duration, size, whole } from "./words.ts";

/** The button that opens the lab, and has the keyboard again once it is closed. */
const OPENER = "compare-operators";
/** Influence below this share of the largest is rounding. */
const NOTHING = 1e-5;

export function LabSection({ session }: SessionProps): JSX.Element | null {
  const { scene, progress, busy } = session;
  if (scene.value === undefined) return null;
  return (
    <section aria-label="Attention lab">
      <h2>Attention lab</h2>
      <p class="facts">
        One tile through five attention operators, side by side: round the chosen object, or the
        middle of the scene. They run on ONNX Runtime, 2.5 MB to fetch where it has not been used
        yet.
      </p>
      <div class="buttons">
        <button
          type="button"
          id={OPENER}
          disabled={progress.value !== undefined || busy.value !== undefined}
          onClick={session.examine}
        >
          Compare operators
        </button>
      </div>
    </section>
  );
}

export function Lab({ session: { lab } }: SessionProps): JSX.Element | null {
  return lab.value === undefined ? null : (
    <LabView key={lab.value} result={lab.value} onClose={() => (lab.value = undefined)} />
  );
}

interface LabViewProps {
  readonly result: LabResult;
  readonly onClose: () => void;
}

function LabView({ result, onClose }: LabViewProps): JSX.Element {
  const { side, rows } = result;
  const [patch, setPatch] = useState(result.patch);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    return () => document.getElementById(OPENER)?.focus();
  }, []);
  const step = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: patch % side > 0 ? -1 : 0,
      ArrowRight: patch % side < side - 1 ? 1 : 0,
      ArrowUp: patch >= side ? -side : 0,
      ArrowDown: patch < side * (side - 1) ? side : 0,
    };
    const by = steps[event.key];
    if (by === undefined) return;
    event.preventDefault();
    setPatch(patch + by);
  };
  return (
    <div class="lab" onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <div class="walk">
        <h2 tabIndex={-1} ref={heading}>
          What a patch takes notice of
        </h2>
        <button type="button" aria-label="Close the lab" onClick={onClose}>
          ×
        </button>
      </div>
      <p class="facts">
        Each patch in turn is replaced by the mean patch; the brighter a patch, the further the
        chosen one's output moves. Click a patch, or move with the arrow keys. Weights are seeded
        and untrained: this is what an operator can see and how content steers it, not what training
        would teach it. Below: time on WebAssembly and memory of the values in between, at two
        numbers of patches.
      </p>
      <ul class="operators">
        {rows.map((row) => (
          <li key={row.title}>
            <h3>{row.title}</h3>
            <p class="facts">{row.summary}</p>
            <Heat result={result} row={row} patch={patch} onPick={setPatch} onStep={step} />
            <Costs row={row} patch={patch} side={side} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** How far the chosen patch's output moves by each other patch, as shares of the largest. */
function noticed({ influence }: LabRow, patch: number, side: number): Float32Array {
  const count = side * side;
  const shares = Float32Array.from({ length: count }, (_, j) => influence[j * count + patch]!);
  const most = shares.reduce((a, b, j) => (j === patch ? a : Math.max(a, b)), 0);
  return shares.map((value) => (most === 0 ? 0 : Math.min(1, value / most)));
}

interface HeatProps {
  readonly result: LabResult;
  readonly row: LabRow;
  readonly patch: number;
  readonly onPick: (patch: number) => void;
  readonly onStep: (event: KeyboardEvent) => void;
}

function Heat({ result, row, patch, onPick, onStep }: HeatProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { picture, side } = result;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) paint(context, picture, side, noticed(row, patch, side), patch);
  }, [picture, side, row, patch]);
  const pick = ({ offsetX, offsetY, currentTarget }: MouseEvent): void => {
    const { clientWidth, clientHeight } = currentTarget as HTMLCanvasElement;
    const cell = (at: number, of: number): number =>
      Math.min(side - 1, Math.max(0, Math.floor((at * side) / of)));
    onPick(cell(offsetY, clientHeight) * side + cell(offsetX, clientWidth));
  };
  return (
    <canvas
      ref={canvas}
      width={picture.width}
      height={picture.height}
      tabIndex={0}
      role="application"
      aria-label={`${row.title}: patch in row ${Math.floor(patch / side) + 1}, column ${(patch % side) + 1} of ${side}`}
      onClick={pick}
      onKeyDown={onStep}
    />
  );
}

function paint(
  context: CanvasRenderingContext2D,
  picture: ImageBitmap,
  side: number,
  shares: Float32Array,
  patch: number,
): void {
  const [width, height] = [picture.width / side, picture.height / side];
  const place = (i: number) => [(i % side) * width, Math.floor(i / side) * height] as const;
  context.filter = "grayscale(1) brightness(0.45)";
  context.drawImage(picture, 0, 0);
  context.filter = "none";
  shares.forEach((share, i) => {
    if (share <= NOTHING) return;
    context.fillStyle = `rgb(255 176 0 / ${0.12 + 0.78 * share})`;
    context.fillRect(...place(i), width, height);
  });
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.strokeRect(...place(patch), width, height);
}

interface CostsProps {
  readonly row: LabRow;
  readonly patch: number;
  readonly side: number;
}

function Costs({ row, patch, side }: CostsProps): JSX.Element {
  const seen = noticed(row, patch, side).filter((share) => share > NOTHING).length;
  return (
    <dl class="measures">
      <div>
        <dt>Takes notice of</dt>
        <dd>
          {whole(seen)} of {whole(side * side)}
        </dd>
      </div>
      {row.costs.map(({ tokens, ms, peakBytes }) => (
        <div key={tokens}>
          <dt>At {whole(tokens)}</dt>
          <dd>
            {ms < 10 ? `${ms.toFixed(1)} ms` : duration(ms)}, {size(peakBytes)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
