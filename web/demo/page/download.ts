/** Hands a file to the browser. */
import type { Exported, Layers } from "../messages.ts";

export async function deliver({ name, content }: Exported): Promise<void> {
  const blob = content instanceof Blob ? content : await compose(content);
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Not at once: some browsers begin the download only after the click is over.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Draws the layers over each other, as a PNG. */
async function compose({ width, height, backdrop, svgs }: Layers): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("the browser has no canvas of this size");
  context.drawImage(backdrop, 0, 0);
  backdrop.close();
  for (const svg of svgs) context.drawImage(await decode(svg), 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("the browser cannot encode a picture of this size"));
      else resolve(blob);
    }, "image/png");
  });
}

async function decode(svg: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  return image;
}
