/** File names that strangers give, made harmless. */

const MOST_BYTES = 120;
/** Names that Windows keeps for devices, whatever their ending. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** The last part of the name without anything that a file system or a header could misread. */
export function safeFileName(given: string | undefined): string {
  const last = (given ?? "").normalize("NFC").split(/[\\/]/).at(-1) ?? "";
  const plain = last
    .replaceAll(/[^\p{L}\p{N}._ ()+-]/gu, "_")
    .replace(/^[. ]+/, "")
    .replace(/[. ]+$/, "");
  const short = cut(plain);
  if (short === "") return "scene";
  return DEVICES.test(short) ? `_${short}` : short;
}

/** At most so many bytes of UTF-8, the ending kept. */
function cut(name: string): string {
  if (Buffer.byteLength(name) <= MOST_BYTES) return name;
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 && name.length - dot <= 12 ? name.slice(dot) : "";
  let stem = Array.from(name.slice(0, name.length - ending.length));
  while (Buffer.byteLength(stem.join("") + ending) > MOST_BYTES) stem = stem.slice(0, -1);
  return stem.join("") + ending;
}
