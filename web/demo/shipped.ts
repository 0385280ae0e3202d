/** Cards of the trained models that come with Nadir; the weights are fetched when one is chosen. */
import type { ShippedCard } from "../../models/index.ts";
import type { ModelChoice } from "./messages.ts";

const CARDS = import.meta.glob<ShippedCard>("../../models/weights/*.json", {
  eager: true,
  import: "default",
});

/** The default one first. */
export const SHIPPED: readonly ShippedCard[] = Object.values(CARDS).toSorted(
  (a, b) => Number(b.isDefault ?? false) - Number(a.isDefault ?? false),
);

/** What looks where nobody has chosen: the same as on the command line. */
export const STANDARD: ModelChoice =
  SHIPPED[0] === undefined ? { kind: "built-in" } : { kind: "shipped", name: SHIPPED[0].name };
