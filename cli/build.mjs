/** `npm run build`: TypeScript to `dist/`. */
import { build, setUp } from "./setup.mjs";

setUp();
build();
