/** A server on a folder of its own, with the detector and the scene of the command line's tests. */
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { buildServer, type ServerOptions } from "../../../web/index.ts";
import { type Sample, sampleFolder } from "../../cli/sample.ts";

export interface SampleServer {
  readonly app: FastifyInstance;
  readonly path: string;
  /** The bytes of `scene.tif`. */
  readonly scene: Buffer;
  readonly options: ServerOptions;
}

/** Makes `models/spots.onnx` out of the sample's detector. */
export async function sampleServer(
  options: Partial<ServerOptions> = {},
): Promise<SampleServer & AsyncDisposable> {
  const sample = await sampleFolder(256);
  const server = await serverOn(sample, options);
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      await server.app.close();
      sample[Symbol.dispose]();
    },
  };
}

export async function serverOn(
  { path }: Pick<Sample, "path">,
  more: Partial<ServerOptions> = {},
): Promise<SampleServer> {
  mkdirSync(join(path, "models"), { recursive: true });
  copyFileSync(join(path, "detector.onnx"), join(path, "models", "spots.onnx"));
  const options: ServerOptions = {
    models: join(path, "models"),
    shipped: join(path, "shipped"),
    data: join(path, "data"),
    settings: { threads: 1 },
    ...more,
  };
  const app = buildServer(options);
  await app.ready();
  return { app, path, scene: readFileSync(join(path, "scene.tif")), options };
}

export interface FormPart {
  readonly name: string;
  readonly value: string | Buffer;
  readonly fileName?: string;
}

/** The payload and the headers of a form. */
export function form(...parts: readonly FormPart[]): {
  readonly payload: Buffer;
  readonly headers: Record<string, string>;
} {
  const boundary = "----nadir-test-boundary";
  const chunks = parts.flatMap(({ name, value, fileName }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${fileName === undefined ? "" : `; filename="${fileName}"`}\r\n` +
        `${fileName === undefined ? "" : "Content-Type: application/octet-stream\r\n"}\r\n`,
    ),
    Buffer.from(value),
    Buffer.from("\r\n"),
  ]);
  return {
    payload: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}

/** A form with the scene as its file, after some fields. */
export const sceneForm = (
  scene: Buffer,
  fields: Readonly<Record<string, string>> = {},
  fileName = "scene.tif",
): ReturnType<typeof form> =>
  form(...Object.entries(fields).map(([name, value]) => ({ name, value })), {
    name: "file",
    value: scene,
    fileName,
  });

export interface JobView {
  readonly id: string;
  readonly state: string;
  readonly failure?: { readonly code: string; readonly detail: string };
  readonly outputs?: readonly string[];
  readonly counts?: { readonly objects: number };
}

/** Asks until the job has ended. */
export async function finished(app: FastifyInstance, id: string): Promise<JobView> {
  for (;;) {
    const job: JobView = (await app.inject(`/v1/jobs/${id}`)).json();
    if (["done", "failed", "cancelled"].includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Status and code of a problem document. */
export const problemOf = (response: LightMyRequestResponse): readonly [number, string] => [
  response.statusCode,
  response.json().code,
];
