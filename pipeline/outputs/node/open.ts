/** Opens an output file in any format. */
import type { FormatName } from "../formats.ts";
import { FORMATS } from "../formats.ts";
import type { CreateEncoder, Output, OutputContext } from "../output.ts";
import { availableCrs, toBytes } from "../output.ts";
import { fileSpool } from "./file-spool.ts";
import { openPartialFile, outputError } from "./partial-file.ts";
import { wellKnownText } from "./well-known-text.ts";

/**
 * Opens an output in the plane asked for, or the nearest that the scene knows (pixels, where it lies nowhere). The bytes
 * gather beside `path`; `finish` gives them that name, `abort` (or a failure) removes them.
 *
 * @throws {OutputError} where the folder cannot be written
 */
export async function openOutput(
  format: FormatName,
  path: string,
  context: OutputContext,
): Promise<Output> {
  const crs = availableCrs(context.scene, context.crs);
  const known = { ...context, crs };
  const full = { ...known, wkt: context.wkt ?? wktOf(known) };
  switch (format) {
    case "gpkg":
      return (await import("./geopackage.ts")).openGeopackage(path, full);
    case "png":
    case "jpeg":
      return (await import("./picture.ts")).openPicture(path, full, { format });
    default: {
      const encoder = await FORMATS[format].encoder?.();
      if (encoder === undefined) throw new TypeError(`openOutput: ${format} must have an encoder`);
      return openEncoded(path, full, encoder);
    }
  }
}

function wktOf({ scene, crs }: OutputContext): string | undefined {
  const epsg = crs === "source" ? scene.crs?.epsg : undefined;
  return epsg === undefined ? undefined : wellKnownText(epsg);
}

/** An output that sends an encoder's bytes to a file. */
async function openEncoded(
  path: string,
  context: OutputContext,
  create: CreateEncoder,
): Promise<Output> {
  const file = await openPartialFile(path);
  const spool = fileSpool(path);
  const encoder = create(context, spool);
  const abort = async (): Promise<void> => {
    await spool.close();
    await file.abort();
  };
  const orAbort = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      await abort();
      throw outputError(path, error);
    }
  };
  await orAbort(() => file.write(toBytes(encoder.begin())));
  return {
    path,
    write: (object) => orAbort(async () => file.write(toBytes(await encoder.write(object)))),
    finish: () =>
      orAbort(async () => {
        for await (const chunk of encoder.end()) await file.write(toBytes(chunk));
        await spool.close();
        await file.finish();
      }),
    abort,
    [Symbol.asyncDispose]: abort,
  };
}
