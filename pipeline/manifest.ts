/** The run manifest: everything a later reader needs to know how a result came about. */
import { type Scene } from "../datasets/index.ts";
import type { Detector } from "./detector.ts";
import type { RunReport } from "./report.ts";
import type { ScenePlan } from "./scene-plan.ts";
import { type DetectSettings, SETTING_NAMES, type SettingName } from "./settings.ts";
import type { SettingSource } from "./settings/resolve.ts";
import { VERSION } from "./version.ts";

export interface ManifestFacts {
  readonly scene: Scene;
  readonly detector: Pick<Detector, "card" | "notices">;
  readonly engine: string;
  readonly settings: DetectSettings;
  /** Who decided each setting. */
  readonly provenance: Readonly<Record<SettingName, SettingSource>> | undefined;
  readonly plan: ScenePlan;
  readonly report: RunReport;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Paths of the outputs, the manifest left out. */
  readonly outputs: readonly string[];
  /** `node 20.20.2 linux x64`, the browser's name. */
  readonly platform: string;
}

/** The manifest as a JSON value; keys come in reading order. */
export function manifest(facts: ManifestFacts): Readonly<Record<string, unknown>> {
  const { scene, detector, report, settings, provenance, plan } = facts;
  const { timingsMs, warnings, diagnosis, resampling, stretch, bands, ...counts } = report;
  const { low, high } = plan.preprocessing.stretch;
  return {
    nadir: VERSION,
    platform: facts.platform,
    startedAt: facts.startedAt.toISOString(),
    finishedAt: facts.finishedAt.toISOString(),
    scene: {
      source: scene.source,
      identity: scene.identity,
      format: scene.format,
      width: scene.width,
      height: scene.height,
      bands: scene.bands,
      sampleType: scene.sampleType,
      nodata: scene.nodata ?? null,
      crs: scene.crs && { epsg: scene.crs.epsg ?? null, name: scene.crs.name },
      transform: scene.transform ?? null,
      gsdM: plan.resampling.raster ?? null,
    },
    model: { ...detector.card, engine: facts.engine, notices: detector.notices },
    settings: Object.fromEntries(
      SETTING_NAMES.map((name) => [
        name,
        { value: settings[name] ?? null, from: provenance?.[name] ?? "option" },
      ]),
    ),
    flow: {
      resampling,
      grid: plan.grid,
      level: plan.level,
      tilePx: plan.tiles.sizePx,
      overlapPx: plan.tiles.overlapPx,
      batch: plan.batch,
      bands,
      stretch: { how: stretch, low, high },
    },
    counts,
    timingsMs: rounded(timingsMs),
    warnings,
    diagnosis,
    outputs: facts.outputs,
  };
}

const rounded = (ms: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(ms).map(([stage, v]) => [stage, Math.round(v)]));
