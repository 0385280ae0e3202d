export { openOutput } from "./outputs/node/open.ts";
export { NODE_ENGINES } from "./engines/table-node.ts";
