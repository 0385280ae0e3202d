/** The scenes that a command line names: files, folders, patterns and addresses. */
import { type Dirent, readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SCENE_EXTENSIONS } from "../datasets/index.ts";
import { SettingsError } from "../pipeline/index.ts";
import { type Io, isUrl, locate } from "./io.ts";

/** What a folder or a pattern is searched for. */
const SCENE_FILE: RegExp = new RegExp(`\\.(${SCENE_EXTENSIONS.join("|")})$`, "i");

export interface Inputs {
  /** In the order of the arguments, sorted within one, each once. */
  readonly paths: readonly string[];
  /** Arguments and folders that gave nothing, in words. */
  readonly notes: readonly string[];
}

/**
 * Finds the scenes. A file that does not exist stays in the list and fails later, as itself; a pattern or folder
 * without scenes becomes a note.
 */
export async function findInputs(io: Pick<Io, "cwd">, given: readonly string[]): Promise<Inputs> {
  const paths = new Set<string>();
  const notes: string[] = [];
  for (const argument of given) {
    const found = await expand(locate(io, argument), notes);
    if (found.length === 0)
      notes.push(`${argument}: no scene there (${SCENE_EXTENSIONS.join(", ")})`);
    for (const path of found) paths.add(path);
  }
  return { paths: [...paths], notes };
}

async function expand(path: string, notes: string[]): Promise<readonly string[]> {
  if (isUrl(path)) return [path];
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind?.isDirectory() === true) {
    return foundScenes(await walk(path, notes));
  }
  if (kind !== undefined || !/[*?[{]/.test(path)) return [path];
  const { root, matches } = globPattern(path);
  return foundScenes(await walk(root, notes)).filter(matches);
}

/** The scenes among files that were found, not named: without the pictures that earlier runs put there. */
function foundScenes(files: readonly string[]): readonly string[] {
  const written = new Set(files.filter((file) => file.endsWith(".run.json")).flatMap(outputsOf));
  return files.filter((file) => SCENE_FILE.test(file) && !written.has(file));
}

/** The outputs that a run's manifest names, in its own folder. */
function outputsOf(manifest: string): readonly string[] {
  try {
    const { outputs } = JSON.parse(readFileSync(manifest, "utf8")) as {
      readonly outputs?: unknown;
    };
    const paths = Array.isArray(outputs) ? outputs.filter((path) => typeof path === "string") : [];
    return paths.map((path) => join(dirname(manifest), basename(path)));
  } catch {
    return []; // a file of that name that is no manifest
  }
}

/** All files below a folder, sorted; hidden ones left out. A folder that cannot be read becomes a note. */
async function walk(folder: string, notes: string[]): Promise<readonly string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code; // readdir throws system errors only
    if (code !== "ENOENT") notes.push(`${folder}: the folder cannot be read (${code})`);
    return [];
  }
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await walk(path, notes)));
    else files.push(path);
  }
  return files;
}

/**
 * A pattern with `*`, `?`, `[a-z]`, `{a,b}` and `**` (any folders), and the folder from which it is searched.
 *
 * @throws {SettingsError} where a bracket is not closed
 */
export function globPattern(pattern: string): {
  readonly root: string;
  readonly matches: (path: string) => boolean;
} {
  const slashed = pattern.replaceAll("\\", "/");
  const plain = slashed.split("/").findIndex((part) => /[*?[{]/.test(part));
  const root = slashed.split("/").slice(0, plain).join("/");
  let expression: RegExp;
  try {
    expression = new RegExp(`^${translate(slashed)}$`);
  } catch {
    throw new SettingsError(`inputs: brackets of a pattern must be closed, received ${pattern}`);
  }
  return {
    root: root === "" ? (slashed.startsWith("/") ? "/" : ".") : root,
    matches: (path) => expression.test(path.replaceAll("\\", "/").replace(/^\.\//, "")),
  };
}

function translate(pattern: string): string {
  const token = /\*\*\/|\*\*|\*|\?|\[!?[^\]]+\]|\{[^}]*\}|[^]/g;
  return pattern.replace(/^\.\//, "").replaceAll(token, (part) => {
    if (part === "**/") return "(?:[^/]+/)*";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1 && part.startsWith("[")) return part.replace("[!", "[^");
    if (part.length > 1 && part.startsWith("{")) {
      return `(?:${part.slice(1, -1).split(",").map(translate).join("|")})`;
    }
    return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  });
}
