/** Runs steps on a device: compiled once, bound once, then one command buffer a run. */
import { volume } from "../tensor.ts";
import { allocate } from "./buffers.ts";
import type { Memory, Plan } from "./buffers.ts";
import { DeviceError } from "./device.ts";
import type { OpenDevice } from "./device.ts";
import { halvesOf } from "./halves.ts";
import { render, sourcesOf } from "./shader.ts";
import type { Step, Traits } from "./shader.ts";

export type Arrays = Readonly<Record<string, Float32Array>>;

/** A plan made ready on a device. Closing it frees its memory, not the device. */
export interface Program extends AsyncDisposable {
  /** Device memory, in bytes. */
  readonly bytes: number;
  /** Runs may overlap; the device takes them in order. */
  readonly run: (feeds: Arrays) => Promise<Record<string, Float32Array>>;
}

const STAGING = 0x1 | 0x8; // MAP_READ, COPY_DST: the globals are not there in every Node
const READ = 0x1;

const compiled = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

/** A pipeline for a shader: compiled once a device, in parallel with others. */
function pipelineFor(device: GPUDevice, step: Step, traits: Traits): Promise<GPUComputePipeline> {
  const cache = compiled.get(device) ?? new Map<string, Promise<GPUComputePipeline>>();
  compiled.set(device, cache);
  const code = render(step, traits);
  const found = cache.get(code);
  if (found !== undefined) return found;
  const module = device.createShaderModule({ code, label: step.label });
  const made = device
    .createComputePipelineAsync({ layout: "auto", compute: { module }, label: step.label })
    .catch(async (cause: unknown) => {
      const { messages } = await module.getCompilationInfo();
      const first = messages.find(({ type }) => type === "error");
      const why = first ? `line ${first.lineNum}: ${first.message}` : String(cause);
      throw new DeviceError(`webgpu: ${step.label} must compile, received ${why}`, { cause });
    });
  cache.set(code, made);
  return made;
}

function checkWorkgroups({ limits }: GPUDevice, { label, workgroups }: Step): void {
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (workgroups.every((count) => count <= most)) return;
  throw new DeviceError(
    `webgpu: ${label} must need at most ${most} workgroups a direction, received ${workgroups.join(" × ")}; take smaller tiles or batches`,
  );
}

/** A step with everything bound. */
interface Bound {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Step["workgroups"];
}

/**
 * Compiles the steps, allocates and uploads.
 *
 * @throws {DeviceError} where a shader does not compile, or something exceeds a limit of the device.
 */
export async function prepare(device: OpenDevice, plan: Plan): Promise<Program> {
  device.check();
  const { gpu } = device;
  for (const step of plan.steps) checkWorkgroups(gpu, step);
  const halves = halvesOf(plan.constants);
  const traits = { subgroup: device.subgroup, halves: new Set(halves.keys()) };
  const pipelines = Promise.all(plan.steps.map((step) => pipelineFor(gpu, step, traits)));
  pipelines.catch(() => {}); // it is awaited below, unless memory fails first
  const memory = await guarded(gpu, () => allocate(gpu, plan, halves));
  try {
    const bound = (await pipelines).map((pipeline, i) =>
      bind(gpu, pipeline, plan.steps[i] as Step, memory),
    );
    return programOf(device, plan, bound, memory);
  } catch (error) {
    memory.close();
    throw error;
  }
}

/** Memory, or a sentence where the device has not so much. */
async function guarded(gpu: GPUDevice, make: () => Memory): Promise<Memory> {
  gpu.pushErrorScope("validation");
  gpu.pushErrorScope("out-of-memory");
  let memory: Memory | undefined;
  let scopes: Promise<(GPUError | null)[]>;
  try {
    memory = make();
  } finally {
    scopes = Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]);
  }
  const failed = (await scopes).find((error) => error !== null);
  if (failed === undefined || failed === null) return memory;
  memory.close();
  throw new DeviceError(
    `webgpu: the device must hold ${memory.bytes} bytes, received ${failed.message}`,
  );
}

function bind(gpu: GPUDevice, pipeline: GPUComputePipeline, step: Step, memory: Memory): Bound {
  const names = [...sourcesOf(step), step.writes];
  const entries = names.map((name, binding) => ({ binding, resource: memory.resource(name) }));
  const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { pipeline, group, workgroups: step.workgroups };
}

function programOf(
  device: OpenDevice,
  { inputs, outputs }: Plan,
  bound: readonly Bound[],
  memory: Memory,
): Program {
  const { gpu } = device;
  const results = Object.entries(outputs);
  const total = results.reduce((sum, [, values]) => sum + 4 * values, 0);
  /** Staging buffers that no run holds. */
  const ring: GPUBuffer[] = [];
  let isOpen = true;

  function submit(staging: GPUBuffer): void {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of bound) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    let at = 0;
    for (const [name, values] of results) {
      const { buffer } = memory.resource(name);
      encoder.copyBufferToBuffer(buffer, 0, staging, at, 4 * values);
      at += 4 * values;
    }
    gpu.queue.submit([encoder.finish()]);
  }

  return {
    bytes: memory.bytes,
    async run(feeds) {
      device.check();
      for (const [name, values] of Object.entries(inputs)) {
        const data = feeds[name];
        if (data?.length !== values) {
          throw new RangeError(
            `webgpu: ${name} must have ${values} values, received ${data?.length ?? "none"}`,
          );
        }
        gpu.queue.writeBuffer(memory.resource(name).buffer, 0, data as Float32Array<ArrayBuffer>);
      }
      const staging = ring.pop() ?? gpu.createBuffer({ size: Math.max(total, 4), usage: STAGING });
      submit(staging);
      try {
        await staging.mapAsync(READ);
      } catch (cause) {
        staging.destroy();
        device.check();
        throw new DeviceError(`webgpu: a run must be read back, received ${String(cause)}`, {
          cause,
        });
      }
      const all = new Float32Array(staging.getMappedRange().slice(0));
      staging.unmap();
      if (isOpen) ring.push(staging);
      else staging.destroy();
      return cut(all, results);
    },
    async [Symbol.asyncDispose]() {
      isOpen = false;
      memory.close();
      for (const staging of ring) staging.destroy();
    },
  };
}

function cut(all: Float32Array, results: readonly (readonly [string, number])[]) {
  let at = 0;
  return Object.fromEntries(
    results.map(([name, values]) => [name, all.subarray(at, (at += values))]),
  );
}

/** Runs steps once: prepares, runs and frees. */
export async function runOnce(
  device: OpenDevice,
  steps: readonly Step[],
  feeds: Arrays,
  output: string,
): Promise<Float32Array> {
  const last = steps.findLast((step) => step.writes === output);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([n, { length }]) => [n, length]));
  const outputs = { [output]: volume(last?.shape ?? []) };
  await using program = await prepare(device, { steps, inputs, constants: new Map(), outputs });
  return (await program.run(feeds))[output] ?? new Float32Array();
}
