/** A WebGPU device, with the limits the kernels can use. */

/** The device is missing, was lost, or ran out of memory. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly code = "ERR_DEVICE";
}

/** A device, and whether it is still there. Closing it destroys the device. */
export interface OpenDevice extends AsyncDisposable {
  readonly gpu: GPUDevice;
  /** Maker and model, as far as the adapter tells. */
  readonly description: string;
  /** Lanes of a workgroup that are one subgroup, where rows gain by joining in one. */
  readonly subgroup: number | undefined;
  /** @throws {DeviceError} where the device was lost; open another. */
  readonly check: () => void;
}

/** Limits worth raising above what every adapter grants. */
const WANTED = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
] as const;

const SUBGROUPS: GPUFeatureName = "subgroups";
/** With fewer lanes a row takes longer than through workgroup memory; with more it leaves most of them idle. */
const [LEAST_LANES, MOST_LANES] = [16, 64];

/**
 * Asks for an adapter and a device.
 *
 * @param gpu  `navigator.gpu`, or what the `webgpu` package makes in Node
 * @throws {DeviceError} where there is none.
 */
export async function openDevice(gpu: GPU | undefined): Promise<OpenDevice> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new DeviceError("openDevice: a WebGPU adapter must be there, received none here");
  }
  const requiredFeatures = adapter.features.has(SUBGROUPS) ? [SUBGROUPS] : [];
  const requiredLimits = Object.fromEntries(WANTED.map((name) => [name, adapter.limits[name]]));
  try {
    const { vendor, architecture, description } = adapter.info;
    const name = description === "" ? `${vendor} ${architecture}`.trim() : description;
    return watch(await adapter.requestDevice({ requiredFeatures, requiredLimits }), name);
  } catch (cause) {
    throw new DeviceError(`openDevice: the adapter must give a device, received ${String(cause)}`, {
      cause,
    });
  }
}

/** Wraps a device that somebody else has opened, and will close. */
export function watch(gpu: GPUDevice, description: string): OpenDevice {
  let lost: GPUDeviceLostInfo | undefined;
  void gpu.lost.then((info) => (lost = info));
  return {
    gpu,
    description,
    subgroup: subgroupOf(gpu),
    check() {
      if (lost === undefined) return;
      const why = lost.message.replace(/\s+/g, " ").trim() || lost.reason;
      throw new DeviceError(`webgpu: the device must not be lost, received ${why}; open another`);
    },
    async [Symbol.asyncDispose]() {
      gpu.destroy();
      await gpu.lost;
    },
  };
}

/**
 * The lanes of every subgroup, where all have as many. Where sizes vary (Metal names 4 to 64, Intel 8 to 32, RDNA 32 to
 * 64) WGSL leaves open how lanes are dealt out, and the smallest size, of which a workgroup would have to be, may be
 * four: rows then join through workgroup memory.
 */
function subgroupOf({ features, adapterInfo }: GPUDevice): number | undefined {
  if (!features.has(SUBGROUPS) || !adapterInfo) return undefined;
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapterInfo;
  return least === most && least >= LEAST_LANES && most <= MOST_LANES ? least : undefined;
}
