/** At most: more gains little in WebAssembly, and a page has other work. */
const MOST_THREADS = 4;

/**
 * Threads that WebAssembly takes. Browsers give them only to pages that are cross-origin isolated (headers COOP and COEP);
 * elsewhere, and in Node, it runs on one.
 *
 * @param isIsolated - ask for another page than this one
 */
export function wasmThreads(
  isIsolated: boolean = "crossOriginIsolated" in globalThis && globalThis.crossOriginIsolated,
): number {
  return isIsolated
    ? Math.min(MOST_THREADS, Math.ceil(globalThis.navigator.hardwareConcurrency / 2))
    : 1;
}
