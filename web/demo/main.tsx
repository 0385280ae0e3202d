/** The page starts here. */
import { render } from "preact";
import { missingAbility } from "./page/abilities.ts";
import { App } from "./page/app.tsx";
import { createSession } from "./page/session.ts";

const session = createSession(
  () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "nadir" }),
);
session.problem.value = missingAbility();
const host = document.getElementById("app");
if (host !== null) render(<App session={session} />, host);
