import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTokens } from "../../../web/index.ts";
import { safeFileName } from "../../../web/server/requests/file-name.ts";
import { isPublic, vet } from "../../../web/server/security/addresses.ts";
import { createGate } from "../../../web/server/security/gate.ts";

describe("addresses", () => {
  test.each([
    ...[
      "127.0.0.1",
      "10.1.2.3",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
    ],
    ...["224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"],
    ...[
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "2001:db8::1",
      "x",
    ],
  ])("%s is none of the public internet", (address) => expect(isPublic(address)).toBe(false));

  test.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])(
    "%s is public",
    (address) => expect(isPublic(address)).toBe(true),
  );

  const lookup = (table: Readonly<Record<string, readonly string[]>>) => async (name: string) =>
    (table[name] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

  test("a name must lead to public addresses only, and is connected to where it led", async () => {
    const names = lookup({
      "good.example.org": ["8.8.8.8"],
      "inside.example.org": ["8.8.8.8", "127.0.0.1"],
      "six.example.org": ["::1"],
    });
    const ask = (url: string) => vet(url, ["*.example.org"], names);
    expect(await ask("https://good.example.org/a.tif")).toMatchObject({
      address: "8.8.8.8",
      family: 4,
    });
    for (const host of ["inside", "six", "nowhere"]) {
      await expect(ask(`https://${host}.example.org/`)).rejects.toMatchObject({
        code: "ERR_ADDRESS",
      });
    }
    for (const url of [
      "https://example.org/",
      "https://example.org.evil.net/",
      "https://evilexample.org/",
    ]) {
      await expect(ask(url)).rejects.toMatchObject({ code: "ERR_ADDRESS" });
    }
  });

  test("a rule with a port allows that port, one without the usual ones", async () => {
    const names = lookup({ "a.org": ["8.8.8.8"] });
    const port = ({ url }: { readonly url: URL }) => url.port;
    expect(port(await vet("http://a.org:8080/", ["a.org:8080"], names))).toBe("8080");
    for (const [url, rule] of [
      ["http://a.org:8080/", "a.org"],
      ["http://a.org/", "a.org:8080"],
    ] as const) {
      await expect(vet(url, [rule], names)).rejects.toMatchObject({ code: "ERR_ADDRESS" });
    }
    expect(port(await vet("https://a.org/", ["A.org"], names))).toBe("");
  });
});

describe("file names", () => {
  test("whatever comes in, a short name without folders comes out", () => {
    const odd = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.stringMatching(/^[./\\ a-c\0]*$/),
    );
    fc.assert(
      fc.property(odd, (given) => {
        const name = safeFileName(given);
        expect(name).not.toMatch(/[/\\\0\r\n"]|^\.|^ | $|\.$/);
        expect(name.length).toBeGreaterThan(0);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(121);
        expect(safeFileName(name)).toBe(name);
      }),
      { seed: 3 },
    );
  });

  test("an honest name stays", () => {
    for (const name of ["scene.tif", "Zürich 2024 (north).tif", "S2A_MSIL2A.SAFE.tiff"]) {
      expect(safeFileName(name)).toBe(name);
      expect(safeFileName(`C:\\fakepath\\${name}`)).toBe(name);
    }
    expect(safeFileName("nul.tif")).toBe("_nul.tif");
    expect(safeFileName(`${"ä".repeat(200)}.tif`)).toMatch(/^ä+\.tif$/);
  });
});

describe("the gate", () => {
  const never = new AbortController().signal;

  test("owners that wait take turns", async () => {
    const gate = createGate({ active: 1, waiting: 10 });
    const order: string[] = [];
    const visit = async (owner: string) => {
      const leave = await gate.enter(owner, never);
      order.push(owner);
      await Promise.resolve();
      leave();
    };
    await Promise.all(["a", "a", "a", "a", "b", "b"].map(visit));
    expect(order).toEqual(["a", "b", "a", "b", "a", "a"]);
    expect([gate.active(), gate.waiting()]).toEqual([0, 0]);
  });

  test("never lets in more than it has places for, and turns away beyond its seats", async () => {
    const gate = createGate({ active: 2, waiting: 1 });
    const leaves = await Promise.all([gate.enter("a", never), gate.enter("b", never)]);
    const third = gate.enter("c", never);
    await expect(async () => gate.enter("d", never)).rejects.toMatchObject({
      code: "ERR_BUSY",
      retryAfterS: 2,
    });
    for (const leave of leaves) leave();
    leaves[0]?.(); // leaving twice is leaving once
    (await third)();
    expect(gate.active()).toBe(0);
    expect(gate.turnedAway()).toBe(1);
  });
});

describe("token files", () => {
  const file = (text: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), "nadir-test-")), "tokens");
    writeFileSync(path, text);
    return path;
  };

  test("hold one token a line", () => {
    const path = file("# comment\n\n abcdefghijklmnop \nabcdefghijklmnoq\r\n");
    expect(readTokens(path)).toEqual(["abcdefghijklmnop", "abcdefghijklmnoq"]);
  });

  test("are refused where they are empty, missing, or a token is short", () => {
    expect(() => readTokens(file("# none\n"))).toThrow(/must hold a token/);
    expect(() => readTokens(file("short\n"))).toThrow(/at least 16 characters/);
    expect(() => readTokens("/nowhere/tokens")).toThrow(/must be readable/);
  });
});
