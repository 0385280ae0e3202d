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
  void begin();
  return () => {
    closed = true;
    stop?.();
    viewer?.close();
  };
}

/** Draws whatever changes, and goes to each object that is chosen; what comes back ends it. */
function follow(session: Session, viewer: Viewer): () => void {
  let before = session.selected.peek();
  return effect(() => {
    const selected = session.selected.value;
    viewer.draw({
      objects: session.shown.value,
      provisional: session.provisional.value,
      colours: session.model.value?.colours ?? [],
      selected,
      tile: session.tile.value,
    });
    if (selected !== undefined && selected !== before) viewer.goTo(selected);
    before = selected;
  });
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
