/** What a request for detection may say: the settings of a run that are the caller's business, a model, and a scene. */
import Type, { type TSchema } from "typebox";
import {
  nearest,
  SETTING_NAMES,
  type SettingName,
  SETTINGS,
  type SettingsInput,
} from "../../../pipeline/index.ts";
import { RequestError } from "../problem.ts";

/** Settings that belong to whoever runs the server. */
const OF_THE_SERVER: readonly SettingName[] = [
  "head",
  "classes",
  "batch",
  "overwrite",
  "resume",
  "workers",
  "threads",
  "engine",
  "device",
  "shard",
];

export const REQUEST_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter(
  (name) => !OF_THE_SERVER.includes(name),
);

const settings: Record<string, TSchema> = Object.fromEntries(
  REQUEST_SETTINGS.map((name) => {
    const { schema, doc } = SETTINGS[name];
    return [name, Type.Optional({ ...schema, description: doc })];
  }),
);

const Model = Type.Optional(
  Type.String({ minLength: 1, description: "Id of a model. Default: the only one." }),
);
const Url = Type.String({
  minLength: 1,
  description: "Address of the scene, on a host that the server allows.",
});

/** A request in JSON: the scene lies at an address. */
export const JsonBody: TSchema = Type.Object(
  { ...settings, model: Model, url: Url },
  { additionalProperties: false },
);

/** The same as a form: a file, or an address. Lists are comma-separated or JSON, areas JSON. */
export const FormBody: TSchema = Type.Object(
  {
    ...settings,
    model: Model,
    url: Type.Optional(Url),
    file: Type.Optional(
      Type.String({ format: "binary", description: "The scene: GeoTIFF, PNG, JPEG or WebP." }),
    ),
  },
  { additionalProperties: false },
);

export type DetectBody = SettingsInput & {
  readonly model?: string;
  readonly url?: string;
  readonly file?: string;
};

/** The settings of a body, without what is beside them. */
export const settingsOf = (body: DetectBody): SettingsInput =>
  Object.fromEntries(
    Object.entries(body).filter(([name]) => !["model", "url", "file"].includes(name)),
  );

/** Other spellings of a field: the flags' shorter names, and the words of tile servers. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...REQUEST_SETTINGS.flatMap((name) =>
    [name, ...(SETTINGS[name].aliases ?? [])].map((alias) => [camel(alias), name] as const),
  ),
  ["model", "model"],
  ["url", "url"],
  ["image", "file"],
  ["file", "file"],
  ["bidx", "bands"],
  ["rescale", "stretch"],
]);

/** The name that a field of a form stands for. @throws {RequestError} where it stands for none */
export function fieldName(given: string): string {
  const name = SPELLINGS.get(camel(given));
  if (name !== undefined) return name;
  const hint = nearest(given, [...SPELLINGS.keys()]);
  throw new RequestError(
    "ERR_REQUEST",
    `form: "${given.slice(0, 60)}" is no field${hint === undefined ? "" : `; did you mean ${hint}?`}`,
  );
}

/** The value that the text of a field means; the schema judges it. */
export function fieldValue(name: string, text: string): unknown {
  const field = REQUEST_SETTINGS.find((one) => one === name);
  if (field === undefined) return text;
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      throw new RequestError("ERR_REQUEST", `form: ${name} must be whole JSON`);
    }
  }
  return SETTINGS[field].parse(text);
}

function camel(name: string): string {
  return name.replaceAll(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
