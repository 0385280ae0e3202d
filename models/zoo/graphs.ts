/** The graphs of a detector: what ships, and what is trained. */
import type { Graph, Value } from "../../attention/index.ts";
import { cornersOf, decodeOriented, decodeUpright } from "../heads/box-decoding.ts";
import type { RawHeads } from "../heads/anchor-free.ts";
import { boxKind, detectionLoss } from "../losses/detection.ts";
import type { LossOptions } from "../losses/detection.ts";
import { buildGraph } from "../onnx/builder.ts";
import type { OnnxGraph } from "../onnx/graph.ts";
import type { DetectorNetwork } from "./detector.ts";

/** Names of inputs and outputs, the same in every graph of ours. */
export const PORTS = {
  /** `[B 3 Y X]`, RGB in 0…1. */
  image: "image",
  /** Metres per pixel `[B 1]`, 0 where unknown. */
  gsdM: "gsd_m",
  /** `[B N 4]` upright boxes `x1 y1 x2 y2`, or `[B N 8]` corners, in input pixels. */
  boxes: "boxes",
  /** `[B N K]` in 0…1. */
  scores: "scores",
} as const;

export interface GraphSize {
  readonly batch: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Image in, decoded boxes and scores out. */
export function inferenceGraph(network: DetectorNetwork, size: GraphSize): OnnxGraph {
  return buildGraph("nadir", (g) => {
    const heads = writeNetwork(g, network, size, (name, layout, shape) =>
      g.input(name, layout, shape),
    );
    return {
      [PORTS.boxes]: decoded(g, heads, network),
      [PORTS.scores]: g.unary("sigmoid", heads.logits),
    };
  });
}

/** Inputs of the training graph that hold what lies on the tiles; see `Targets`. */
export const TARGETS = {
  boxes: "target.boxes",
  classes: "target.classes",
  labelled: "target.labelled",
} as const;

/** Outputs of the training graph. */
export const LOSS = { total: "loss", classes: "loss.classes", boxes: "loss.boxes" } as const;

/**
 * Images and labels in, the loss out.
 *
 * @param rows  label rows per image
 */
export function lossGraph(
  network: DetectorNetwork,
  size: GraphSize & { readonly rows: number },
  options: LossOptions = {},
): OnnxGraph {
  const { batch: B, rows: G } = size;
  const { classes: K } = network.head;
  return buildGraph(
    "nadir.loss",
    (g) => {
      const heads = writeNetwork(g, network, size, (name, layout, shape) =>
        g.input(name, layout, shape),
      );
      const targets = {
        boxes: g.input(TARGETS.boxes, "B G F", [B, G, boxKind(network.head).columns]),
        classes: g.input(TARGETS.classes, "B G K", [B, G, K]),
        labelled: g.input(TARGETS.labelled, "B A K", [B, 1, K]),
      };
      const { total, classes, boxes } = detectionLoss(g, heads, targets, network.head, options);
      return { [LOSS.total]: total, [LOSS.classes]: classes, [LOSS.boxes]: boxes };
    },
    { training: true },
  );
}

type Input = <const L extends string>(
  name: string,
  layout: L,
  shape: readonly number[],
) => Value<L>;

function writeNetwork(
  g: Graph,
  network: DetectorNetwork,
  { batch, widthPx, heightPx }: GraphSize,
  input: Input,
): RawHeads {
  const image = input(PORTS.image, "B C Y X", [batch, 3, heightPx, widthPx]);
  return network.build(g, image, input(PORTS.gsdM, "B I", [batch, 1]));
}

function decoded(g: Graph, heads: RawHeads, { head }: DetectorNetwork): Value {
  return head.oriented
    ? cornersOf(g, decodeOriented(g, heads, head))
    : decodeUpright(g, heads, head);
}
