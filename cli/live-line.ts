/** The last line of a terminal, written over again and again, and what is said above it. */
import type { Terminal } from "./io.ts";

const CLEAR = "\r\u001B[2K";

export class LiveLine {
  readonly #terminal: Terminal;
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Characters that fit; what is longer would leave lines behind. */
  get room(): number {
    return Math.max(20, this.#terminal.columns - 1);
  }

  /** Takes the place of what was drawn before. */
  draw(text: string): void {
    this.#terminal.write(`${CLEAR}${text}`);
    this.#isShown = true;
  }

  /** Says a line that stays. */
  say(line: string): void {
    this.clear();
    this.#terminal.write(`${line}\n`);
  }

  clear(): void {
    if (this.#isShown) this.#terminal.write(CLEAR);
    this.#isShown = false;
  }
}
