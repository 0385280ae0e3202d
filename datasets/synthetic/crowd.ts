/** Things on a plane by where they stand, so that neighbours are found without asking everybody. */

export interface Standpoint {
  readonly x: number;
  readonly y: number;
  /** No part is further from (x, y). */
  readonly reach: number;
}

const CELL = 64;

export class Crowd<T extends Standpoint> {
  readonly all: T[] = [];
  readonly #cells = new Map<number, T[]>();
  /** What reaches beyond the next cell is asked always. */
  readonly #large: T[] = [];

  add(item: T): void {
    this.all.push(item);
    if (item.reach > CELL) {
      this.#large.push(item);
      return;
    }
    const key = keyOf(Math.floor(item.x / CELL), Math.floor(item.y / CELL));
    const cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, [item]);
    else cell.push(item);
  }

  /** Whether anything that may touch the circle passes the test. */
  someNear({ x, y, reach }: Standpoint, test: (item: T) => boolean): boolean {
    const isHit = (item: T): boolean => {
      const [dx, dy, both] = [item.x - x, item.y - y, item.reach + reach];
      return dx * dx + dy * dy < both * both && test(item);
    };
    if (this.#large.some(isHit)) return true;
    const far = reach + CELL;
    const [x1, x2] = [Math.floor((x - far) / CELL), Math.floor((x + far) / CELL)];
    const [y1, y2] = [Math.floor((y - far) / CELL), Math.floor((y + far) / CELL)];
    for (let row = y1; row <= y2; row++) {
      for (let column = x1; column <= x2; column++) {
        if (this.#cells.get(keyOf(column, row))?.some(isHit) === true) return true;
      }
    }
    return false;
  }
}

const keyOf = (column: number, row: number): number => row * 65_536 + column;
