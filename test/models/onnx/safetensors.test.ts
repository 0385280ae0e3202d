import { fc, test } from "@fast-check/vitest";
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
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
