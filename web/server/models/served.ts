/** One loaded model: a session that all requests share, and two detectors on it. */
import {
  createEngine,
  type Detector,
  type Engine,
  loadDetector,
  type Session,
  type SettingsInput,
  shareSession,
} from "../../../pipeline/index.ts";
import { NODE_ENGINES } from "../../../pipeline/node.ts";
import type { Limits } from "../options.ts";

export interface ServedModel extends AsyncDisposable {
  /** The file's name without its ending. */
  readonly id: string;
  /** First digits of the file's SHA-256. */
  readonly version: string;
  readonly engine: string;
  /** Shares its runs with other requests. */
  readonly detector: Detector;
  /** Never shares a run, so the same scene gives the same bytes: for jobs. */
  readonly exact: Detector;
  /** Takes and gives raw tensors. */
  readonly session: Session;
  /** Runs that wait. */
  readonly waiting: () => number;
}

export interface LoadModelOptions {
  readonly id: string;
  readonly version: string;
  readonly settings: SettingsInput;
  readonly limits: Pick<Limits, "batch">;
  readonly onRun: (rows: number) => void;
}

/** @throws {ModelError} where the bytes are no detector @throws {DeviceError} where engine or device is missing */
export async function loadModel(
  bytes: Uint8Array,
  { id, version, settings, limits, onRun }: LoadModelOptions,
): Promise<ServedModel> {
  const { head, classes, threads, device, gsdM } = settings;
  const engine = await createEngine(settings.engine, NODE_ENGINES);
  const session = await engine.load(bytes, { threads, device });
  const shared = shareSession(session, { onRun });
  const overrides = { head, classes, gsdM: typeof gsdM === "number" ? gsdM : undefined };
  try {
    const detector = await loadDetector(bytes, on(engine, shared.together), overrides);
    const exact = await loadDetector(bytes, on(engine, shared.alone), {
      ...overrides,
      batch: settings.batch ?? 1,
    });
    // Only a network that was seen to keep the tiles of a run apart may be given tiles of strangers.
    if (detector.card.input.batch === undefined) shared.allow(limits.batch);
    return {
      id,
      version,
      engine: engine.name,
      detector,
      exact,
      session: shared.together,
      waiting: shared.waiting,
      [Symbol.asyncDispose]: () => shared[Symbol.asyncDispose](),
    };
  } catch (error) {
    await shared[Symbol.asyncDispose]();
    throw error;
  }
}

/** The engine, with the session already open. */
const on = (engine: Engine, session: Session): Engine => ({ ...engine, load: async () => session });
