/** Outlines, labels and legend of a picture, as SVG. */
import type { FoundObject } from "../../objects.ts";
import { extent, rounded } from "../feature.ts";
import { HEIGHT, textPath, textWidth } from "./font.ts";

/** Colours that stay apart on imagery and for the colour-blind (after Okabe and Ito, brightened). */
const COLOURS = [
  "#ffb000",
  "#29c7ff",
  "#ff5c5c",
  "#3ddc84",
  "#ff7ad9",
  "#f5f03d",
  "#a78bfa",
  "#ff8f3d",
  "#00e0c6",
  "#c9e265",
] as const;

/** The colour of a class; from the eleventh on, round the wheel by the golden angle. */
export function classColour(classIndex: number): string {
  return COLOURS[classIndex] ?? `hsl(${Math.round(classIndex * 137.508) % 360}, 85%, 62%)`;
}

export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Picture pixels per scene pixel. */
  readonly scale: number;
}

/** Side of the cells that a label blocks for later ones. */
const CELL_PX = 8;
/** Shorter boxes get no label: it would hide them. */
const LABELLED_PX = 20;
const PADDING_DOTS = 2;

/** Draws objects one by one; remembers where labels lie, not the objects. */
export class Drawing {
  readonly #canvas: Canvas;
  readonly #dotPx: number;
  readonly #taken: Uint8Array;
  readonly #columns: number;
  readonly #counts = new Map<number, { readonly name: string; count: number }>();
  #shapes: string[] = [];
  #labels: string[] = [];

  constructor(canvas: Canvas) {
    this.#canvas = canvas;
    this.#dotPx = Math.max(1, Math.round(Math.max(canvas.width, canvas.height) / 1200));
    this.#columns = Math.ceil(canvas.width / CELL_PX);
    this.#taken = new Uint8Array(this.#columns * Math.ceil(canvas.height / CELL_PX));
  }

  /** Objects drawn since the last {@link take}. */
  get pending(): number {
    return this.#shapes.length;
  }

  add(object: FoundObject): void {
    const { scale } = this.#canvas;
    const corners = object.corners.map((value) => rounded(value * scale, 2));
    const colour = classColour(object.classIndex);
    const path = `M${corners.subarray(0, 2).join(" ")}L${corners.subarray(2).join(" ")}Z`;
    const line = 0.75 + 0.75 * this.#dotPx;
    const halo = `<path d="${path}" fill="none" stroke="#000" stroke-opacity=".55" stroke-width="${line + 2}"/>`;
    const edge = `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${line}"/>`;
    this.#shapes.push(halo + edge);
    this.#labels.push(this.#label(object, corners, colour));
    const known = this.#counts.get(object.classIndex);
    if (known) known.count++;
    else this.#counts.set(object.classIndex, { name: object.class, count: 1 });
  }

  /** What was drawn since the last time, as one SVG. */
  take(): string {
    const svg = this.#svg([...this.#shapes, ...this.#labels].join(""));
    this.#shapes = [];
    this.#labels = [];
    return svg;
  }

  /** Classes with their colours and counts, in the lower left corner. */
  legend(): string {
    const rows = [...this.#counts].toSorted(([a], [b]) => a - b).slice(0, 24);
    if (rows.length === 0) return this.#svg("");
    const dot = this.#dotPx;
    const texts = rows.map(([, { name, count }]) => `${name}  ${count.toLocaleString("en-GB")}`);
    const rowPx = (HEIGHT + 5) * dot;
    const swatchPx = HEIGHT * dot;
    const width = (Math.max(...texts.map(textWidth)) + 10) * dot + 2 * swatchPx;
    const height = rows.length * rowPx + 5 * dot;
    const [x, y] = [6 * dot, this.#canvas.height - height - 6 * dot];
    const lines = rows.map(([index], i) => {
      const top = y + 5 * dot + i * rowPx;
      const swatch = `<rect x="${x + 5 * dot}" y="${top}" width="${swatchPx}" height="${swatchPx}" fill="${classColour(index)}"/>`;
      const at = x + 5 * dot + 1.7 * swatchPx;
      return `${swatch}<path d="${textPath(texts[i] ?? "", at, top, dot)}" fill="#fff"/>`;
    });
    const plate = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${2 * dot}" fill="#10151c" fill-opacity=".8"/>`;
    return this.#svg(plate + lines.join(""));
  }

  /** Class and score above the box, where it is large enough and no other label lies. */
  #label(object: FoundObject, corners: Float64Array, colour: string): string {
    const [left, top, right, bottom] = extent(corners);
    if (Math.max(right - left, bottom - top) < LABELLED_PX * this.#dotPx) return "";
    const dot = this.#dotPx;
    const text = `${object.class} ${object.score.toFixed(2)}`;
    const width = (textWidth(text) + 2 * PADDING_DOTS) * dot;
    const height = (HEIGHT + 2 * PADDING_DOTS) * dot;
    const x = Math.round(Math.max(0, Math.min(left, this.#canvas.width - width)));
    const above = top - height - dot;
    const y = Math.round(above >= 0 ? above : Math.min(bottom + dot, this.#canvas.height - height));
    if (!this.#takes(x, y, width, height)) return "";
    return [
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#10151c" fill-opacity=".75"/>`,
      `<rect x="${x}" y="${y}" width="${dot}" height="${height}" fill="${colour}"/>`,
      `<path d="${textPath(text, x + PADDING_DOTS * dot, y + PADDING_DOTS * dot, dot)}" fill="#fff"/>`,
    ].join("");
  }

  /** Blocks the cells of a label; false where one of them is blocked. */
  #takes(x: number, y: number, width: number, height: number): boolean {
    const cells: number[] = [];
    for (let row = Math.floor(y / CELL_PX); row <= Math.floor((y + height) / CELL_PX); row++) {
      const first = row * this.#columns;
      const last = Math.min(this.#columns - 1, Math.floor((x + width) / CELL_PX));
      for (let column = Math.floor(x / CELL_PX); column <= last; column++) {
        cells.push(first + column);
      }
    }
    if (cells.some((cell) => this.#taken[cell] === 1)) return false;
    for (const cell of cells) this.#taken[cell] = 1;
    return true;
  }

  #svg(content: string): string {
    const { width, height } = this.#canvas;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`;
  }
}
