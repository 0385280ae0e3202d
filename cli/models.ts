/** `nadir models`: the detectors that come with Nadir. */
import type { Command } from "commander";
import { listShipped } from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { table } from "./say.ts";

export function declareModels(command: Command, { io }: CliContext): void {
  command
    .option("--json", "Prints the cards as JSON.")
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const cards = await listShipped();
      if (json) return io.stdout.write(`${JSON.stringify(cards, null, 2)}\n`);
      const rows = cards.map(({ name, classes, tilePx, metrics, summary }) => [
        name,
        classes.join(", "),
        `${tilePx} px`,
        Object.entries(metrics)
          .filter(([key]) => key.endsWith("AP50"))
          .map(([key, value]) => `${key} ${value.toFixed(3)}`)
          .join(", "),
        summary,
      ]);
      io.stdout.write(`${table([["name", "classes", "tile", "on unseen images", ""], ...rows])}\n`);
    });
}
