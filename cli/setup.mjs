/**
 * Makes a fresh clone ready: installs the packages of package-lock.json where they are missing or other ones.
 * Plain JavaScript that needs nothing but Node, for it runs before anything is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 20;

/** The folder of package.json. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Ends the process with a sentence. */
function give(sentence, status = 1) {
  process.stderr.write(`${sentence}\n`);
  process.exit(status);
}

/** Runs a program of `node_modules` (or npm itself) in the root; its exit status. */
export function runNode(script, args, options = {}) {
  const { status, error } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: "inherit",
    ...options,
  });
  if (error !== undefined) process.stderr.write(`${script}: ${error.message}\n`);
  return status ?? 1;
}

/** The script behind a package's command: `binOf("vitest")`. */
export function binOf(name, command = name) {
  const folder = join(root, "node_modules", name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}

/** Installs what is missing. */
export function setUp() {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    give(`setup: Node must be ${OLDEST_NODE} or newer, received ${process.version}`);
  }
  const missing = firstMissing();
  if (missing === undefined) return;
  const modules = join(root, "node_modules");
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) {
    give(`setup: node_modules must be this clone's own to be installed into (${missing})`);
  }
  process.stderr.write(`installing packages (${missing})\n`);
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  const status =
    npm === undefined
      ? (spawnSync("npm", args, {
          cwd: root,
          stdio: "inherit",
          shell: process.platform === "win32",
        }).status ?? 1)
      : runNode(npm, args);
  if (status !== 0) give("setup: npm ci failed; the lines above say why", status);
}

/** Compiles to a `dist/` that holds nothing of an earlier build. */
export function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const status = runNode(binOf("@typescript/native", "tsc"), ["-p", "tsconfig.build.json"]);
  if (status !== 0)
    give("build: the compiler refuses this source; the lines above say where", status);
}

/** The first package that is not installed as the lock file wants it, in words. */
function firstMissing() {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const there = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (there === undefined) return "none are there";
  for (const [path, { version, optional, link }] of Object.entries(wanted ?? {})) {
    if (path === "" || optional === true || link === true) continue;
    if (there[path]?.version !== version)
      return `${path.replace(/^.*node_modules\//, "")} ${version}`;
  }
  return undefined;
}

function packagesOf(lockFile) {
  if (!existsSync(lockFile)) return undefined;
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")).packages;
  } catch {
    return undefined; // cut off by an interrupted install
  }
}
