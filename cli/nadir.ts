#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { processIo } from "./io.ts";
import { main } from "./main.ts";

// Pictures lie outside the heap, but V8 counts them as its growth, and where little lies inside it allows little:
// it would collect all garbage with nearly every tile, for a third of the processor's time. Now the heap may double.
setFlagsFromString("--heap-growing-percent=100");

process.exitCode = await main(process.argv.slice(2), processIo());
