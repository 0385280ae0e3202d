/** PKINet's blocks. */
import type { Value } from "../../../attention/index.ts";
import { convFfn, gsilu } from "../../../models/blocks/conv-ffn.ts";
import { pkiBlock, pkiStage, polyKernel } from "../../../models/blocks/pki.ts";
import { pksModule } from "../../../models/blocks/pks.ts";
import { shapeOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Desk, Row } from "../row.ts";

const map = ({ input }: Desk): Value<"B C Y X"> => input("x", "B C Y X");

/** A side of a kernel of the case. */
const side = (c: Case, weight: string): number => shapeOf(c, `w.${weight}`).at(-1) ?? 0;

const has = (c: Case, weight: string): boolean => c.tensors.has(`w.${weight}`);

const strip = (c: Case, scope: string): number | undefined =>
  has(c, `${scope}caa_factor.h_conv.conv.weight`)
    ? side(c, `${scope}caa_factor.h_conv.conv.weight`)
    : undefined;

/** How much wider a convolutional FFN is inside. */
const ffnOf = (c: Case, scope: string): { ratio: number; kernel: number } => {
  const [wide = 0, narrow = 1] = shapeOf(c, `w.${scope}ffn_layers.3.conv.weight`);
  return { ratio: wide / narrow, kernel: side(c, `${scope}ffn_layers.4.conv.weight`) };
};

function stage(desk: Desk): Record<string, Value> {
  const { c, named } = desk;
  const names = [...c.tensors.keys()];
  const down = names.find((n) => n.startsWith("w.downsample."))?.split(".")[2] ?? "down_conv";
  const g = named((name) => name.replace("downsample.down_conv", `downsample.${down}`));
  const blocks = new Set(names.flatMap((n) => /^w\.blocks\.(\d+)\./.exec(n)?.[1] ?? [])).size;
  const channels = shapeOf(c, "w.conv3.conv.weight")[0] ?? 0;
  return { y: pkiStage(g, map(desk), { channels, blocks, ...ffnOf(c, "ffn.") }) };
}

export const PKI: readonly Row[] = [
  { prefix: "gsilu", build: (desk) => ({ y: gsilu(desk.g, map(desk)) }) },
  {
    prefix: "convffn",
    build: (desk) => {
      const x = map(desk);
      return { y: desk.g.add(x, convFfn(desk.g, x, ffnOf(desk.c, ""))) };
    },
  },
  {
    prefix: "pki_inception_bottleneck",
    build: (desk) => {
      const channels = shapeOf(desk.c, "w.post_conv.conv.weight")[0] ?? 0;
      return { y: polyKernel(desk.g, map(desk), { channels, strip: strip(desk.c, "") }) };
    },
  },
  {
    prefix: "pki_block",
    build: (desk) => {
      const { ratio } = ffnOf(desk.c, "ffn.");
      return { y: pkiBlock(desk.g, map(desk), { strip: strip(desk.c, "block."), ratio }) };
    },
  },
  { prefix: "pki_stage", build: stage },
  { prefix: "pks_v2", build: (desk) => ({ y: pksModule(desk.g, map(desk)) }) },
];
