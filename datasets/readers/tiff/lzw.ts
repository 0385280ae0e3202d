/**
 * LZW as TIFF has it: codes of 9 to 12 bits, most significant bit first, the width growing one code early
 * (TIFF 6.0 §13).
 *
 * Every code is kept as the place in the output where its string was first written, so a string is copied from the
 * output itself: no dictionary of strings, no reversal.
 */
const CLEAR = 256;
const END = 257;
const FIRST_FREE = 258;
const CODES = 4096;

/** @throws {Error} where a code is unknown. Output beyond `expectedBytes` is dropped. */
export function decodeLzw(input: Uint8Array, expectedBytes: number): Uint8Array {
  // A code of 9 bits or more stands for fewer than 4,096 bytes: a damaged header must not make us allocate more.
  const limit = Math.min(expectedBytes, Math.ceil((input.length * 8) / 9) * CODES);
  const output = new Uint8Array(limit);
  const starts = new Int32Array(CODES);
  const lengths = new Int32Array(CODES);
  let next = FIRST_FREE;
  let width = 9;
  let previousStart = -1;
  let previousLength = 0;
  let at = 0;
  let bits = 0;
  let held = 0;
  for (let position = 0; at < limit;) {
    while (held < width && position < input.length) {
      bits = ((bits << 8) | (input[position] ?? 0)) & 0xffffff;
      position += 1;
      held += 8;
    }
    if (held < width) break; // the end code may be missing
    held -= width;
    const code = (bits >>> held) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      next = FIRST_FREE;
      width = 9;
      previousStart = -1;
      continue;
    }
    const start = at;
    if (code < CLEAR) {
      output[at] = code;
      at += 1;
    } else if (code < next) {
      at = copy(output, starts[code] ?? 0, lengths[code] ?? 0, at);
    } else if (code === next && previousStart >= 0) {
      at = copy(output, previousStart, previousLength + 1, at); // its last byte is its first
    } else {
      throw new Error(`code ${code} is unknown, the table has ${next}`);
    }
    if (previousStart >= 0 && next < CODES) {
      starts[next] = previousStart;
      lengths[next] = previousLength + 1;
      next += 1;
    }
    previousStart = start;
    previousLength = at - start;
    if (next >= (1 << width) - 1 && width < 12) width += 1;
  }
  return at === limit ? output : output.subarray(0, at);
}

/** Copies forward, byte by byte: the ranges may overlap by design. */
function copy(output: Uint8Array, from: number, length: number, to: number): number {
  const end = Math.min(to + length, output.length);
  for (let write = to, read = from; write < end; write += 1, read += 1) {
    output[write] = output[read] ?? 0;
  }
  return end;
}
