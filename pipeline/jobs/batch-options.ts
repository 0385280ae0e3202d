/** What a batch of scenes is run with. */
import type { Scene } from "../../datasets/index.ts";
import type { Detector } from "../detector.ts";
import type { DetectSettings, SettingName } from "../settings.ts";
import type { SettingSource } from "../settings/resolve.ts";

export interface BatchOptions {
  readonly detector: Detector;
  /** Name of the engine that runs the detector. */
  readonly engine: string;
  readonly settings: DetectSettings;
  /** Who decided each setting; part of the manifests. */
  readonly provenance?: Readonly<Record<SettingName, SettingSource>> | undefined;
  /** Folder of the outputs. @default the folder of each scene; for addresses the working folder */
  readonly outDir?: string | undefined;
  /** Name of the outputs without extension, for a batch of one scene. @default as the scene */
  readonly stem?: string | undefined;
  /** No further tile is begun after it; what is in hand is finished and kept for the next run. */
  readonly signal?: AbortSignal | undefined;
  /** @default by path or address, content deciding the format */
  readonly open?: ((source: string, signal: AbortSignal | undefined) => Promise<Scene>) | undefined;
}
