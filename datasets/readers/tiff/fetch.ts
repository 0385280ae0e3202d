/** The encoded bytes of blocks, near ones in one read. */
import type { PagedSource } from "../byte-source.ts";
import type { BlockBytes, Layout } from "./layout.ts";

/** Bytes by block index, views of what was read in one go; undefined for a block that is not in the file. */
export type FetchedBlocks = ReadonlyMap<number, Promise<Uint8Array | undefined>>;

interface LocatedBlock extends BlockBytes {
  readonly index: number;
}

/** Blocks that lie near one another in the file: one read. */
interface Run {
  readonly offset: number;
  readonly end: number;
  readonly blocks: readonly LocatedBlock[];
}

const RUN_BYTES_AT_MOST = 4 * 1024 * 1024;

export async function fetchBlocks(
  file: PagedSource,
  layout: Layout,
  indices: readonly number[],
): Promise<FetchedBlocks> {
  const located = await Promise.all(
    indices.map(async (index) => ({ index, ...(await layout.locate(index)) })),
  );
  const fetched = new Map<number, Promise<Uint8Array | undefined>>();
  for (const { index, lengthBytes } of located) {
    if (lengthBytes === 0) fetched.set(index, Promise.resolve(undefined));
  }
  for (const run of runsOf(located, file.source.gapBytes)) {
    const read = file.data(run.offset, run.end - run.offset);
    for (const { index, offset, lengthBytes } of run.blocks) {
      const from = offset - run.offset;
      const part = read.then((bytes) => bytes.subarray(from, from + lengthBytes));
      part.catch(() => {}); // reported by the block that asks for it
      fetched.set(index, part);
    }
  }
  return fetched;
}

function runsOf(located: readonly LocatedBlock[], gapBytes: number): readonly Run[] {
  const runs: Run[] = [];
  const inFile = located
    .filter(({ lengthBytes }) => lengthBytes > 0)
    .toSorted((one, other) => one.offset - other.offset);
  for (const block of inFile) {
    const last = runs.at(-1);
    const end = block.offset + block.lengthBytes;
    const isNear =
      last !== undefined &&
      block.offset - last.end <= gapBytes &&
      end - last.offset <= RUN_BYTES_AT_MOST;
    if (!isNear) runs.push({ offset: block.offset, end, blocks: [block] });
    else {
      runs[runs.length - 1] = {
        offset: last.offset,
        end: Math.max(last.end, end),
        blocks: [...last.blocks, block],
      };
    }
  }
  return runs;
}
