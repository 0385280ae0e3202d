// The contracts.
export * from "./graph.ts";
export * from "./operator.ts";
export * from "./shape.ts";
export * from "./tensor.ts";

// What operators are written with.
export * from "./convolution.ts";
export * from "./norm.ts";
export * from "./pairing.ts";
export * from "./projection.ts";
export * from "./softmax.ts";

// How a query meets keys.
export * from "./cores/additive.ts";
export * from "./cores/cosine.ts";
export * from "./cores/differential.ts";
export * from "./cores/entmax.ts";
export * from "./cores/lightning.ts";
export * from "./cores/linear.ts";
export * from "./cores/linformer.ts";
export * from "./cores/native-sparse.ts";
export * from "./cores/partial.ts";
export * from "./cores/performer.ts";
export * from "./cores/scaled-dot-product.ts";
export * from "./cores/sparse.ts";
export * from "./deformable.ts";
export * from "./multi-head.ts";

// Which tokens see which.
export * from "./reach/big-bird.ts";
export * from "./reach/grid.ts";
export * from "./reach/near.ts";
export * from "./reach/shifted.ts";
export * from "./reach/windowed.ts";

// What a place adds.
export * from "./position/decomposed-bias.ts";
export * from "./position/relative-bias.ts";
export * from "./position/resample.ts";
export * from "./position/rotary.ts";
export * from "./position/sincos.ts";

// Mixers without queries.
export * from "./mixers/context-anchor.ts";
export * from "./mixers/dense-polynomial.ts";
export * from "./mixers/latent.ts";
export * from "./mixers/polynomial.ts";
export * from "./mixers/selective-scan.ts";

// From before transformers.
export * from "./classic/hard.ts";
export * from "./classic/local.ts";
export * from "./classic/luong.ts";
export * from "./classic/memory-network.ts";
export * from "./classic/pooling.ts";

// Attention to what is known beside the pixels.
export * from "./conditioning.ts";
export * from "./context.ts";

export * from "./operators.ts";

// Kernels, and what runs them on a WebGPU device.
export * from "./kernels/context-anchor.ts";
export * from "./kernels/copy.wgsl.ts";
export * from "./kernels/depthwise.wgsl.ts";
export * from "./kernels/flash.wgsl.ts";
export * from "./kernels/linear.wgsl.ts";
export * from "./kernels/matmul.wgsl.ts";
export * from "./kernels/operators.ts";
export * from "./kernels/polynomial.ts";
export * from "./kernels/strips.wgsl.ts";
export * from "./kernels/windowed.wgsl.ts";
export type { Plan } from "./webgpu/buffers.ts";
export * from "./webgpu/device.ts";
export * from "./webgpu/dispatch.ts";
export * from "./webgpu/halves.ts";
export * from "./webgpu/memory.ts";
export * from "./webgpu/shader.ts";
export * from "./webgpu/view.ts";
