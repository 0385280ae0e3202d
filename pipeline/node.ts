export { openOutput } from "./outputs/node/open.ts";
