/** The viewer of the open scene, kept up to date. */
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { SceneOpened } from "../messages.ts";
import { createPlainViewer } from "../viewer/plain.ts";
import type { CreateViewer, Viewer } from "../viewer/viewer.ts";
import type { Session, SessionProps } from "./session.ts";

export function Stage({ session }: SessionProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const scene = session.scene.peek();
    if (host.current === null || scene === undefined) return undefined;
    return show(host.current, scene, session);
  }, [session]);
  return <div class="viewer" ref={host} />;
}

/** Starts the viewer that fits; what comes back ends it. */
function show(host: HTMLElement, scene: SceneOpened, session: Session): () => void {
  let viewer: Viewer | undefined;
  let stop: (() => void) | undefined;
  let closed = false;
  const begin = async (): Promise<void> => {
    const ready = await start(host, scene, (object) => (session.selected.value = object));
    if (closed) return ready.close();
    viewer = ready;
    stop = follow(session, ready);
  };
  begin().catch((error: unknown) => {
    // Another scene has come meanwhile, and this one's picture is gone.
    if (!closed) session.problem.value = `The scene could not be drawn: ${String(error)}`;
  });
  return () => {
    closed = true;
    stop?.();
    viewer?.close();
  };
}

/** Draws whatever changes, once a frame, and goes where it is sent; what comes back ends it. */
function follow(session: Session, viewer: Viewer): () => void {
  let frame = 0;
  const stopDrawing = effect(() => {
    const drawn = {
      objects: session.shown.value,
      provisional: session.provisional.value,
      colours: session.model.value?.colours ?? [],
      selected: session.selected.value,
      tile: session.tile.value,
    };
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => viewer.draw(drawn));
  });
  const stopGoing = effect(() => {
    const object = session.target.value;
    if (object !== undefined) viewer.goTo(object);
  });
  return () => {
    stopDrawing();
    stopGoing();
    cancelAnimationFrame(frame);
  };
}

const createMap: CreateViewer = async (...args) =>
  (await import("../viewer/map.ts")).createMapViewer(...args);

/** A map where the scene lies on the Earth and the browser can draw one. */
async function start(...args: Parameters<CreateViewer>): Promise<Viewer> {
  const [host, scene] = args;
  if (scene.mesh === undefined) return createPlainViewer(...args);
  try {
    return await createMap(...args);
  } catch {
    host.replaceChildren(); // no WebGL: what the map has left behind goes
    return createPlainViewer(...args);
  }
}
