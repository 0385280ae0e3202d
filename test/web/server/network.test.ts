import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../../web/index.ts";
import { finished, sampleServer, sceneForm } from "./sample-server.ts";

let server: Awaited<ReturnType<typeof sampleServer>>;
let address = "";
let port = 0;
beforeAll(async () => {
  const limits = { perMinute: 0, active: 1, waiting: 2, stallMs: 1500, headMs: 1500 };
  server = await sampleServer({ limits });
  address = await listen(server.app, { host: "127.0.0.1", port: 0, hasTokens: false });
  port = Number(new URL(address).port);
});
afterAll(() => server[Symbol.asyncDispose]());

const detect = (fields: Record<string, string> = {}, signal?: AbortSignal) => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  body.set("file", new Blob([new Uint8Array(server.scene)]), "scene.tif");
  return fetch(`${address}/v1/detect`, { method: "POST", body, signal: signal ?? null });
};
const gauge = async (name: string): Promise<number> => {
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
};

/** Everything that comes back on a raw connection. */
async function converse(...lines: readonly (string | number)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString()));
  socket.on("error", () => {});
  const closed = once(socket, "close");
  for (const line of lines) {
    if (typeof line === "number") await sleep(line);
    else if (socket.writable) socket.write(line);
  }
  await closed;
  return answer;
}

describe("a listening server", () => {
  test("detects", async () => {
    const response = await detect();
    expect(response.status).toBe(200);
    expect(((await response.json()) as { features: unknown[] }).features.length).toBeGreaterThan(5);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("turns away what it cannot take, and takes it again later", async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => detect()));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBe(statuses.filter((status) => status !== 200).length);
    expect(busy.length).toBeGreaterThan(0);
    for (const answer of busy) {
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(((await answer.json()) as { code: string }).code).toBe("ERR_BUSY");
    }
    for (const answer of answers) if (!answer.bodyUsed) await answer.arrayBuffer();
    expect((await detect()).status).toBe(200);
    expect(await gauge("nadir_refused_requests")).toBe(busy.length);
  });

  test("stops work for a client that goes away, running or waiting", async () => {
    const leave = new AbortController();
    // Many small tiles: much longer than the time after which the client leaves.
    const slow = { tile: "192", overlap: "180" };
    const gone = [detect(slow, leave.signal), detect(slow, leave.signal)];
    await expect.poll(() => gauge("nadir_waiting_requests")).toBe(1);
    leave.abort();
    for (const one of gone) await expect(one).rejects.toThrow(/abort/i);
    await expect.poll(() => gauge("nadir_active_requests")).toBe(0);
    expect(await gauge("nadir_waiting_requests")).toBe(0);
    expect((await detect()).status).toBe(200);
  });

  test("ends a request whose head does not arrive", async () => {
    const answer = await converse(
      "GET /v1/models HTTP/1.1\r\nHost: x\r\n",
      ...Array.from({ length: 10 }, () => [400, "X-A: 1\r\n"]).flat(),
    );
    expect(answer).toMatch(/^(HTTP\/1.1 408|$)/);
    expect(answer).not.toContain("200 OK");
  });

  test("ends a request whose body trickles", async () => {
    const head = `POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n`;
    const answer = await converse(head, ...Array.from({ length: 20 }, () => [150, "x"]).flat());
    expect(answer).toMatch(/^HTTP\/1.1 408/);
    expect(answer).toContain("ERR_TIMEOUT");
    expect((await detect()).status).toBe(200);
  });

  test("forgets an upload that is broken off", async () => {
    const { payload, headers } = sceneForm(server.scene);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: ${payload.length}\r\nContent-Type: ${headers["content-type"]}\r\n\r\n`,
    );
    socket.write(payload.subarray(0, 20_000));
    await sleep(50);
    socket.destroy();
    const { readdir } = await import("node:fs/promises");
    await expect.poll(() => readdir(join(server.path, "data", "incoming"))).toEqual([]);
    const { jobs } = (await (await fetch(`${address}/v1/jobs`)).json()) as { jobs: unknown[] };
    expect(jobs).toEqual([]);
  });

  test("streams the events of a job while it runs", async () => {
    const body = new FormData();
    body.set("overlap", "180");
    body.set("tile", "192");
    body.set("file", new Blob([new Uint8Array(server.scene)]), "scene.tif");
    const job = (await (await fetch(`${address}/v1/jobs`, { method: "POST", body })).json()) as {
      id: string;
    };
    const events = await fetch(`${address}/v1/jobs/${job.id}/events`);
    const decoder = new TextDecoder();
    let [text, pieces] = ["", 0];
    for await (const chunk of events.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      pieces++;
    }
    expect(pieces).toBeGreaterThan(2); // as they come, not at the end
    expect(text).toMatch(/event: tiles/);
    expect(text).toMatch(/"state":"done"/);
    expect((await finished(server.app, job.id)).state).toBe("done");
  });
});

describe("addresses", () => {
  test("a scene is fetched from a host that is allowed, redirects are judged again, and all else is refused", async () => {
    const scene = readFileSync(join(server.path, "scene.tif"));
    const inside = createServer((_, response) => response.end("secret")).listen(0, "127.0.0.1");
    await once(inside, "listening");
    const secret = (inside.address() as AddressInfo).port;
    const web = createServer(({ url = "" }, response) => {
      if (url.startsWith("/scene")) return void response.end(scene);
      if (url === "/moved") return void response.writeHead(302, { location: "/scene.tif?2" }).end();
      if (url === "/inside") return void response.writeHead(302, { location: `http://127.0.0.1:${secret}/` }).end(); // prettier-ignore
      if (url === "/loop") return void response.writeHead(302, { location: "/loop" }).end();
      if (url === "/file")
        return void response.writeHead(302, { location: "file:///etc/passwd" }).end();
      if (url === "/large") return void response.end(Buffer.alloc(3_000_000));
      response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    await once(web, "listening");
    const host = `127.0.0.1:${(web.address() as AddressInfo).port}`;
    await using one = await sampleServer({
      allowHosts: [host],
      limits: { syncBytes: 2e6, perMinute: 0 },
    });
    const ask = async (url: string) => {
      const response = await one.app.inject({
        method: "POST",
        url: "/v1/detect",
        payload: { url },
      });
      return [response.statusCode, response.json().code ?? response.json().type];
    };
    const { jobs: _ } = (await one.app.inject("/v1/jobs")).json();
    expect(await ask(`http://${host}/scene.tif`)).toEqual([200, "FeatureCollection"]);
    expect(await ask(`http://${host}/moved`)).toEqual([200, "FeatureCollection"]);
    expect(await ask(`http://${host}/large`)).toEqual([413, "ERR_TOO_LARGE"]);
    for (const path of ["/inside", "/loop", "/file", "/missing"]) {
      expect(await ask(`http://${host}${path}`)).toEqual([403, "ERR_ADDRESS"]);
    }
    for (const url of [
      `http://127.0.0.1:${secret}/`,
      `http://localhost:${secret}/`,
      `http://2130706433:${secret}/`,
      `http://0x7f.1:${secret}/`,
      `http://[::ffff:127.0.0.1]:${secret}/`,
      `http://user@${host}/scene.tif`,
      "file:///etc/passwd",
      "ftp://example.org/a.tif",
    ]) {
      expect(await ask(url)).toEqual([403, "ERR_ADDRESS"]);
    }
    expect(await ask("no address")).toEqual([400, "ERR_REQUEST"]);
    const payload = { url: `http://${host}/scene.tif` };
    const { id } = (await one.app.inject({ method: "POST", url: "/v1/jobs", payload })).json();
    const job = await finished(one.app, id);
    expect([job.state, job.outputs]).toEqual(["done", ["scene.geojson", "scene.run.json"]]);
    inside.close();
    web.close();
  });
});
