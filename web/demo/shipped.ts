/** Cards of the trained models that come with Nadir; the weights are fetched when one is chosen. */
import type { ShippedCard } from "../../models/index.ts";

const CARDS = import.meta.glob<ShippedCard>("../../models/weights/*.json", {
  eager: true,
  import: "default",
});

/** The default one first. */
export const SHIPPED: readonly ShippedCard[] = Object.values(CARDS).toSorted(
  (a, b) => Number(b.isDefault ?? false) - Number(a.isDefault ?? false),
);
