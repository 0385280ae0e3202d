import type { Mixer } from "../operator.ts";
import { checkGrid } from "./check-grid.ts";
import { crop, padTo } from "./windowed.ts";
import type { WindowedOptions } from "./windowed.ts";

/**
 * Lets a mixer see `size × size` tokens spread evenly over the whole grid: the complement of a window, far
 * instead of near, at the same cost.
 *
 * Tu et al., "MaxViT", 2022, §3.3 (grid attention). arXiv:2204.01697
 *
 * @param options.size  tokens that see each other, a side; rows and columns are padded to a multiple of it
 */
export function spread(mixer: Mixer, options: WindowedOptions): Mixer {
  const { size } = options;
  return (g, tokens, grid) => {
    checkGrid("spread", tokens, grid);
    const { tokens: padded, grid: on } = padTo(g, tokens, grid, options);
    const cut = { P: size, Q: size, R: on.rows / size, W: on.columns / size };
    const parts = g.rename(g.rearrange(padded, "B (P R Q W) C -> (B R W) (P Q) C", cut), "B N C");
    const valid =
      on.valid && g.rename(g.rearrange(on.valid, "B (P R Q W) -> (B R W) (P Q)", cut), "B N");
    const mixed = mixer(g, parts, { rows: size, columns: size, valid });
    const whole = g.rearrange(mixed, "(B R W) (P Q) C -> B (P R Q W) C", cut);
    return crop(g, g.rename(whole, "B N C"), on, grid);
  };
}
