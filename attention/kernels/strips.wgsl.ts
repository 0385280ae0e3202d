/**
 * The two strips of Context Anchor Attention in one dispatch: `1 × k`, then `k × 1`, depthwise.
 *
 * A workgroup makes 16 × 16 pixels of one channel. It filters the rows it needs across (`k − 1` more than it makes),
 * keeps them in workgroup memory, and filters those down: the map between is never stored.
 */
import { ShapeError } from "../shape.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import type { Filter } from "./depthwise.wgsl.ts";

const SIDE = 16;
/** Rows of 16 float32 that fit into the workgroup memory every adapter has. */
const MOST_ROWS = 16_384 / 4 / SIDE;

/**
 * @param across  `x [B C Y X]`, weight `[C 1 1 k]`, bias `[C]`
 * @param down  weight `[C 1 k 1]`, bias `[C]`
 * @param keep  `[B 1 Y X]`, 0 where rows filtered across count as zeros
 */
export function strips(
  out: string,
  { x, weight, bias }: Filter,
  down: Omit<Filter, "x">,
  length: number,
  keep?: Operand,
): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const [rows, reach] = [SIDE + length - 1, (length - 1) / 2];
  if (rows > MOST_ROWS) {
    throw new ShapeError(
      `strips: length must be at most ${MOST_ROWS - SIDE + 1}, received ${length}`,
    );
  }
  const kept = keep ? ` * in5((plane / ${C}u * ${Y}u + u32(y)) * ${X}u + column)` : "";
  return {
    label: `strips ${length} of ${C} at ${Y}×${X}`,
    workgroups: [Math.ceil(X / SIDE), Math.ceil(Y / SIDE), B * C],
    reads: [x, weight, bias, down.weight, down.bias, ...(keep ? [keep] : [])],
    writes: out,
    shape: [B, C, Y, X],
    rereads: 1,
    code: /* wgsl */ `
var<workgroup> rows: array<f32, ${rows * SIDE}>;
@compute @workgroup_size(${SIDE * SIDE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let plane = group.z;
  let c = plane % ${C}u;
  let column = group.x * ${SIDE}u + lane % ${SIDE}u;
  let top = i32(group.y * ${SIDE}u) - ${reach};
  for (var i = lane; i < ${rows * SIDE}u; i += ${SIDE * SIDE}u) {
    let y = top + i32(i / ${SIDE}u);
    var total = 0.0;
    if (y >= 0 && y < ${Y} && column < ${X}u) {
      total = in2(c);
      for (var q = 0; q < ${length}; q++) {
        let x = i32(column) + q - ${reach};
        if (x < 0 || x >= ${X}) { continue; }
        total += in1(c * ${length}u + u32(q)) * in0((plane * ${Y}u + u32(y)) * ${X}u + u32(x));
      }
      total = total${kept};
    }
    rows[i] = total;
  }
  workgroupBarrier();
  let row = group.y * ${SIDE}u + lane / ${SIDE}u;
  if (row >= ${Y}u || column >= ${X}u) { return; }
  var total = in4(c);
  for (var p = 0u; p < ${length}u; p++) {
    total += in3(c * ${length}u + p) * rows[(lane / ${SIDE}u + p) * ${SIDE}u + lane % ${SIDE}u];
  }
  put((plane * ${Y}u + row) * ${X}u + column, total);
}`,
  };
}
