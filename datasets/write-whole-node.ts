/** Small files that are whole or not there. */
import { rename, writeFile } from "node:fs/promises";

/** Writes beside and renames. What is streamed, or must survive a power cut, has writers of its own. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, content);
  await rename(partial, path);
}
