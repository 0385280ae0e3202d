/**
 * `npm start`: from a fresh clone to detected objects on a map. Installs, builds, and runs `nadir demo`, which
 * makes a sample scene, detects in it, and writes GeoJSON, picture and manifest into `out/`.
 */
import { join } from "node:path";
import { build, root, runNode, setUp } from "./setup.mjs";

setUp();
build();
const args = process.argv.slice(2);
process.exitCode = runNode(
  join(root, "dist", "cli", "nadir.js"),
  args.length > 0 ? args : ["demo"],
);
