/** The buffers of a plan: what is fed, what is known, and what steps write, the last sharing memory. */
import { DeviceError } from "./device.ts";
import { planMemory } from "./memory.ts";
import type { Step } from "./shader.ts";

/** What is to be run. */
export interface Plan {
  readonly steps: readonly Step[];
  /** What is fed at every run: name → number of values. */
  readonly inputs: Readonly<Record<string, number>>;
  /** What is known: uploaded once. */
  readonly constants: ReadonlyMap<string, Float32Array>;
  /** Names that are read back, and how many values each has. */
  readonly outputs: Readonly<Record<string, number>>;
}

const STORAGE = 0x80 | 0x8 | 0x4; // STORAGE, COPY_DST, COPY_SRC: the globals are not there in every Node

/** Buffers by the names of the tensors in them. */
export interface Memory {
  readonly bytes: number;
  readonly resource: (name: string) => GPUBufferBinding;
  readonly close: () => void;
}

/**
 * Buffers of inputs, of what is known (uploaded here), and of what steps write.
 *
 * @param halves  what is known and goes in pairs of half-precision numbers, packed
 */
export function allocate(
  gpu: GPUDevice,
  { steps, inputs, constants, outputs }: Plan,
  halves: ReadonlyMap<string, Uint32Array> = new Map(),
): Memory {
  const resources = new Map<string, GPUBufferBinding>();
  const owned: GPUBuffer[] = [];
  const close = () => {
    for (const buffer of owned) buffer.destroy();
  };
  const make = (values: number) => {
    const size = Math.max(4 * values, 16);
    const most = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
    if (size > most) {
      close();
      throw new DeviceError(
        `webgpu: a tensor must be at most ${most} bytes on this device, received ${size}; take smaller tiles or batches`,
      );
    }
    const buffer = gpu.createBuffer({ size, usage: STORAGE });
    owned.push(buffer);
    return buffer;
  };
  for (const [name, values] of Object.entries(inputs))
    resources.set(name, { buffer: make(values) });
  for (const [name, numbers] of constants) {
    const data = halves.get(name) ?? numbers;
    const buffer = make(data.length);
    gpu.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>);
    resources.set(name, { buffer });
  }
  const { buffers, bufferOf } = planMemory(steps, Object.keys(outputs));
  const shared = buffers.map(make);
  for (const [name, at] of bufferOf) {
    const buffer = shared[at];
    if (buffer) resources.set(name, { buffer });
  }
  return {
    bytes: owned.reduce((sum, { size }) => sum + size, 0),
    resource(name) {
      const found = resources.get(name);
      if (found) return found;
      throw new RangeError(`webgpu: ${name} must be written before it is read, received nothing`);
    },
    close,
  };
}
