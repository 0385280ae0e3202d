/** The plain viewer: a canvas with the picture and its boxes; drag, wheel, pinch and keys move it. */
import type { FoundObject } from "../../../pipeline/index.ts";
import type { SceneOpened, TileDone } from "../messages.ts";
import { type Drawn, objectAt, type Viewer } from "./viewer.ts";

/** Where the scene lies on the canvas, in CSS pixels. */
interface View {
  /** CSS pixels per scene pixel. */
  scale: number;
  /** Place of the scene's first pixel. */
  x: number;
  y: number;
}

const NOTHING: Drawn = {
  objects: [],
  provisional: [],
  colours: [],
  selected: undefined,
  tile: undefined,
};
/** Moved by less, a press is a click. */
const CLICK_PX = 4;
const KEY_STEP_PX = 60;
const ZOOM_STEP = 1.4;
const MOST_CSS_PX_PER_PIXEL = 32;

export async function createPlainViewer(
  host: HTMLElement,
  scene: SceneOpened,
  onPick: (object: FoundObject | undefined) => void,
): Promise<Viewer> {
  const canvas = document.createElement("canvas");
  canvas.className = "plain-viewer";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute(
    "aria-label",
    "Scene. Arrow keys move it, plus and minus zoom, 0 shows all of it.",
  );
  host.append(canvas);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("the browser has no canvas");

  const view: View = { scale: 1, x: 0, y: 0 };
  let drawn = NOTHING;
  let frame = 0;
  const paint = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      drawAll(context, scene, view, drawn);
    });
  };
  const fit = (): void => {
    const { clientWidth, clientHeight } = host;
    view.scale = Math.min(clientWidth / scene.width, clientHeight / scene.height);
    view.x = (clientWidth - scene.width * view.scale) / 2;
    view.y = (clientHeight - scene.height * view.scale) / 2;
    paint();
  };
  const zoom = (factor: number, x: number, y: number): void => {
    const least =
      (0.5 * Math.min(host.clientWidth, host.clientHeight)) / Math.max(scene.width, scene.height);
    const scale = Math.min(MOST_CSS_PX_PER_PIXEL, Math.max(least, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    paint();
  };
  const move = (dx: number, dy: number): void => {
    view.x += dx;
    view.y += dy;
    paint();
  };
  const click = (x: number, y: number): void =>
    onPick(objectAt(drawn.objects, (x - view.x) / view.scale, (y - view.y) / view.scale));

  let fitted = false;
  const sized = new ResizeObserver(() => {
    canvas.width = Math.round(host.clientWidth * devicePixelRatio);
    canvas.height = Math.round(host.clientHeight * devicePixelRatio);
    if (!fitted && host.clientWidth > 0) {
      fitted = true;
      fit();
    } else paint();
  });
  sized.observe(host);
  listen(canvas, { move, zoom, fit, click });

  return {
    draw: (next) => {
      drawn = next;
      paint();
    },
    goTo: ({ corners }) => {
      const [x, y] = middle(corners);
      if (view.scale < 1) zoom(1 / view.scale, 0, 0);
      view.x = host.clientWidth / 2 - x * view.scale;
      view.y = host.clientHeight / 2 - y * view.scale;
      paint();
    },
    close: () => {
      cancelAnimationFrame(frame);
      sized.disconnect();
      canvas.remove();
    },
  };
}

interface Moves {
  readonly move: (dx: number, dy: number) => void;
  readonly zoom: (factor: number, x: number, y: number) => void;
  readonly fit: () => void;
  readonly click: (x: number, y: number) => void;
}

function listen(canvas: HTMLCanvasElement, { move, zoom, fit, click }: Moves): void {
  const fingers = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (finger === undefined) return;
    const now = { x: event.offsetX, y: event.offsetY };
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.hypot(now.x - finger.x, now.y - finger.y);
    if (other === undefined) move(now.x - finger.x, now.y - finger.y);
    else {
      const apart = (p: { x: number; y: number }): number =>
        Math.hypot(p.x - other.x, p.y - other.y);
      zoom(apart(now) / Math.max(1, apart(finger)), other.x, other.y);
    }
    fingers.set(event.pointerId, now);
  });
  const lift = (event: PointerEvent): void => {
    const alone = fingers.size === 1 && fingers.delete(event.pointerId);
    fingers.delete(event.pointerId);
    if (alone && event.type === "pointerup" && travelled < CLICK_PX) {
      click(event.offsetX, event.offsetY);
    }
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2] as const;
    const act: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => move(KEY_STEP_PX, 0),
      ArrowRight: () => move(-KEY_STEP_PX, 0),
      ArrowUp: () => move(0, KEY_STEP_PX),
      ArrowDown: () => move(0, -KEY_STEP_PX),
      "+": () => zoom(ZOOM_STEP, ...middle),
      "=": () => zoom(ZOOM_STEP, ...middle),
      "-": () => zoom(1 / ZOOM_STEP, ...middle),
      "0": fit,
    };
    if (act[event.key] === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act[event.key]?.();
  });
}

function drawAll(
  context: CanvasRenderingContext2D,
  { picture, width, height }: SceneOpened,
  view: View,
  drawn: Drawn,
): void {
  const { canvas } = context;
  context.resetTransform();
  context.clearRect(0, 0, canvas.width, canvas.height);
  const ratio = devicePixelRatio * view.scale;
  context.setTransform(ratio, 0, 0, ratio, view.x * devicePixelRatio, view.y * devicePixelRatio);
  context.imageSmoothingEnabled = (view.scale * width) / picture.width < 2;
  context.drawImage(picture, 0, 0, width, height);
  context.lineJoin = "round";
  const line = devicePixelRatio / ratio;
  const seen: TileDone["bounds"] = [
    -view.x / view.scale,
    -view.y / view.scale,
    (canvas.width / devicePixelRatio - view.x) / view.scale,
    (canvas.height / devicePixelRatio - view.y) / view.scale,
  ];
  outline(context, within(drawn.provisional, seen), drawn.colours, [3 * line, 2 * line], line);
  outline(context, within(drawn.objects, seen), drawn.colours, [], line);
  if (drawn.selected !== undefined) {
    trace(context, [drawn.selected]);
    context.lineWidth = 6 * line;
    context.strokeStyle = "#fff";
    context.stroke();
    outline(context, [drawn.selected], drawn.colours, [], 1.6 * line);
  }
  if (drawn.tile !== undefined) {
    const [left, top, right, bottom] = drawn.tile;
    context.setLineDash([]);
    context.lineWidth = 2 * line;
    context.strokeStyle = "rgb(255 255 255 / 0.85)";
    context.strokeRect(left, top, right - left, bottom - top);
  }
}

/** Strokes the outlines, all of one class at once. */
function outline(
  context: CanvasRenderingContext2D,
  objects: readonly FoundObject[],
  colours: readonly string[],
  dash: readonly number[],
  line: number,
): void {
  const byClass = new Map<number, FoundObject[]>();
  for (const object of objects) {
    const others = byClass.get(object.classIndex);
    if (others === undefined) byClass.set(object.classIndex, [object]);
    else others.push(object);
  }
  context.setLineDash([...dash]);
  for (const [index, ofClass] of byClass) {
    trace(context, ofClass);
    context.lineWidth = 3.5 * line;
    context.strokeStyle = "rgb(0 0 0 / 0.5)";
    context.stroke();
    context.lineWidth = 1.75 * line;
    context.strokeStyle = colours[index] ?? "#888";
    context.stroke();
  }
}

function trace(context: CanvasRenderingContext2D, objects: readonly FoundObject[]): void {
  context.beginPath();
  for (const { corners } of objects) {
    context.moveTo(corners[0]!, corners[1]!);
    for (let k = 2; k < 8; k += 2) context.lineTo(corners[k]!, corners[k + 1]!);
    context.closePath();
  }
}

const within = (
  objects: readonly FoundObject[],
  [left, top, right, bottom]: TileDone["bounds"],
): readonly FoundObject[] =>
  objects.filter(({ corners }) => {
    const [x, y] = middle(corners);
    const reach = Math.hypot(corners[0]! - x, corners[1]! - y);
    return x + reach > left && x - reach < right && y + reach > top && y - reach < bottom;
  });

function middle(corners: Float64Array): readonly [x: number, y: number] {
  return [(corners[0]! + corners[4]!) / 2, (corners[1]! + corners[5]!) / 2];
}
