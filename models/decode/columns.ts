/** Detections while they are collected: columns that grow. */
import type { Detections } from "../../datasets/index.ts";
import { quadArea } from "../../datasets/index.ts";

/** Collects the detections of one tile. Boxes that are not finite or have no area are dropped. */
export class Columns {
  readonly #oriented: boolean;
  readonly #threshold: number;
  readonly #width: number;
  #count = 0;
  #best = 0;
  #boxes: Float64Array;
  #scores = new Float32Array(64);
  #classes = new Uint16Array(64);

  constructor(threshold: number, kind: "upright" | "oriented" = "upright") {
    this.#threshold = threshold;
    this.#oriented = kind === "oriented";
    this.#width = this.#oriented ? 8 : 4;
    this.#boxes = new Float64Array(64 * this.#width);
  }

  /** Highest score so far. */
  get best(): number {
    return this.#best;
  }

  /** Notes a score; says whether its box is wanted. A score that is not a number is not. */
  wants(score: number): boolean {
    if (score > this.#best) this.#best = score;
    return score >= this.#threshold;
  }

  /** Whether a score of at most `bound` could be wanted or the highest: if not, it need not be computed. */
  mayWant(bound: number): boolean {
    return bound >= this.#threshold || bound > this.#best;
  }

  addCorners(score: number, klass: number, x1: number, y1: number, x2: number, y2: number): void {
    if (!(x2 > x1 && y2 > y1 && Number.isFinite(x2 - x1 + y2 - y1))) return;
    const at = this.#next(score, klass);
    this.#boxes[at] = x1;
    this.#boxes[at + 1] = y1;
    this.#boxes[at + 2] = x2;
    this.#boxes[at + 3] = y2;
  }

  addCentred(score: number, klass: number, x: number, y: number, w: number, h: number): void {
    this.addCorners(score, klass, x - w / 2, y - h / 2, x + w / 2, y + h / 2);
  }

  /** `angle` in radians, from the x axis towards the y axis (clockwise on the screen), to the side of length `w`. */
  addTurned(
    score: number,
    klass: number,
    [x, y, w, h, angle]: readonly [x: number, y: number, w: number, h: number, angle: number],
  ): void {
    if (!(w > 0 && h > 0 && Number.isFinite(x + y + w + h + angle))) return;
    const [cos, sin] = [Math.cos(angle) / 2, Math.sin(angle) / 2];
    const [ux, uy, vx, vy] = [w * cos, w * sin, -h * sin, h * cos];
    const at = this.#next(score, klass);
    this.#boxes.set([x - ux - vx, y - uy - vy, x + ux - vx, y + uy - vy], at);
    this.#boxes.set([x + ux + vx, y + uy + vy, x - ux + vx, y - uy + vy], at + 4);
  }

  /** `corners`: eight numbers, clockwise on the screen. */
  addQuad(score: number, klass: number, corners: ArrayLike<number>): void {
    const quad = Float64Array.from(corners);
    if (!(quadArea(quad) > 0 && quad.every(Number.isFinite))) return;
    const at = this.#next(score, klass); // may make room: the boxes are looked up after it
    this.#boxes.set(quad, at);
  }

  finish(): Detections<"tile"> {
    const coordinates = this.#boxes.slice(0, this.#count * this.#width);
    return {
      count: this.#count,
      boxes: this.#oriented
        ? { kind: "oriented", frame: "tile", corners: coordinates }
        : { kind: "axis-aligned", frame: "tile", xyxy: coordinates },
      scores: this.#scores.slice(0, this.#count),
      classes: this.#classes.slice(0, this.#count),
    };
  }

  /** Makes room for one more; returns where its coordinates go. */
  #next(score: number, klass: number): number {
    const at = this.#count++;
    if (at === this.#scores.length) {
      this.#boxes = grown(this.#boxes, Float64Array);
      this.#scores = grown(this.#scores, Float32Array);
      this.#classes = grown(this.#classes, Uint16Array);
    }
    this.#scores[at] = Math.min(1, score);
    this.#classes[at] = klass;
    return at * this.#width;
  }
}

function grown<T extends Float64Array | Float32Array | Uint16Array>(
  array: T,
  make: new (length: number) => T,
): T {
  const larger = new make(array.length * 2);
  larger.set(array);
  return larger;
}
