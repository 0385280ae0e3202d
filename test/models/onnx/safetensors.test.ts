import { fc, test } from "@fast-check/vitest";
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { fromBrain, fromHalf, roundHalf, toBrain, toHalf } from "../../../models/onnx/float16.ts";
import {
  fromFloat32,
  readSafetensors,
  toFloat32,
  writeSafetensors,
} from "../../../models/onnx/safetensors.ts";

/** Made by `every-type.py` with Python's safetensors. */
const every = new Uint8Array(readFileSync("test/fixtures/onnx/every-type.safetensors"));
const header = (text: string, values = 0) => {
  const file = new Uint8Array(8 + text.length + values);
  file[0] = text.length;
  file.set(new TextEncoder().encode(text), 8);
  return file;
};

describe("readSafetensors", () => {
  test("reads every type that Python wrote", () => {
    const { tensors, metadata } = readSafetensors(every);
    expect(metadata).toEqual({ made: "by Python" });
    for (const type of ["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8"]) {
      const held = tensors.get(type);
      expect(held?.shape).toEqual([2, 2]);
      expect(held && [...toFloat32(held)]).toEqual([-1, 0, 2, 96]);
    }
    const unsigned = tensors.get("u8");
    expect(unsigned && [...toFloat32(unsigned)]).toEqual([0, 255]);
  });

  test("leaves tensors where they are", () => {
    expect(readSafetensors(every).tensors.get("f32")?.bytes.buffer).toBe(every.buffer);
  });

  test("says in a sentence what is wrong with a header", () => {
    const entry = (text: string) => header(`{"w":${text}}`, 4);
    const cases: readonly (readonly [Uint8Array, RegExp])[] = [
      [new Uint8Array(3), /8 bytes or more, received 3/],
      [new Uint8Array(16).fill(255), /must lie within 16 bytes/],
      [header("{no"), /must be JSON/],
      [header("[]"), /must be a table/],
      [entry(`{"dtype":"F3","shape":[1],"data_offsets":[0,4]}`), /w must be of a type in F64/],
      [entry(`{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}`), /shape of whole numbers/],
      [entry(`{"dtype":"F32","shape":[1],"data_offsets":[0]}`), /two offsets/],
      [entry(`{"dtype":"F32","shape":[2],"data_offsets":[0,4]}`), /w must be 8 bytes within 4/],
      [entry(`{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`), /must fill the file/],
      [entry(`{"dtype":"U8","shape":[1],"data_offsets":[3,4]}`), /follow each other/],
    ];
    for (const [bytes, message] of cases) expect(() => readSafetensors(bytes)).toThrow(message);
  });

  test.prop([
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((s) => s !== "__proto__" && s !== "__metadata__"),
      fc.float32Array({ maxLength: 9 }),
    ),
    fc.constantFrom("F32", "F16", "BF16"),
  ])("gives back what was written", (weights, type) => {
    const tensors = new Map(
      Object.entries(weights).map(([name, w]) => [name, fromFloat32([w.length], w, type)]),
    );
    const back = readSafetensors(writeSafetensors(tensors, { type })).tensors;
    expect([...back.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, { bytes, shape }] of tensors) {
      expect(back.get(name)?.shape).toEqual(shape);
      expect(Buffer.from(back.get(name)?.bytes ?? []).equals(bytes)).toBe(true);
    }
  });
});

describe("half precision", () => {
  test("every half is its own nearest half", () => {
    for (let half = 0; half < 65536; half++) {
      const [value, brain] = [fromHalf(half), fromBrain(half)];
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(half);
      if (!Number.isNaN(brain)) expect(toBrain(brain)).toBe(half);
    }
  });

  test.prop([fc.float({ min: Math.fround(-65519), max: Math.fround(65519), noNaN: true })])(
    "no half is nearer than the one that is chosen",
    (value) => {
      const half = toHalf(value);
      const off = Math.abs(fromHalf(half) - value);
      for (const other of [half - 1, half + 1].map((h) => fromHalf(h & 0xffff)))
        if (Number.isFinite(other)) expect(Math.abs(other - value)).toBeGreaterThanOrEqual(off);
    },
  );
});

test("a half of fewer digits is the nearest one that has no more", () => {
  for (let bits = 0; bits < 0x7c00; bits += 3) {
    for (const sign of [0, 0x8000]) {
      const short = roundHalf(sign | bits, 7);
      expect(short & 0x800f).toBe(sign);
      const [value, next] = [fromHalf(sign | bits), fromHalf(short)];
      const apart = Math.min(Math.abs(fromHalf(short + 16)), Infinity) - Math.abs(next);
      expect(Number.isFinite(next)).toBe(true);
      if (Number.isFinite(apart)) expect(Math.abs(value - next)).toBeLessThanOrEqual(apart / 2);
    }
  }
  expect([roundHalf(0x7c00, 7), roundHalf(0x3555, 11)]).toEqual([0x7c00, 0x3555]);
});
