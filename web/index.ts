export { buildServer } from "./server/app.ts";
export { type Limits, DEFAULT_LIMITS, type ServerOptions } from "./server/options.ts";
export { isLoopback, listen } from "./server/listen.ts";
export { readTokens } from "./server/security/tokens.ts";
