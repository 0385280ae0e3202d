import fc from "fast-check";
import { expect, test } from "vitest";
import { claims } from "../../../web/server/requests/claim.ts";

test("whatever files grow and go, memory holds no more than it may, and all of it comes back", () => {
  const steps = fc.array(fc.record({ file: fc.nat(5), bytes: fc.nat(60), ends: fc.boolean() }));
  fc.assert(
    fc.property(steps, (all) => {
      const claim = claims({ reserve: () => {}, release: () => {} }, { heldBytes: 100, heldFileBytes: 50 }); // prettier-ignore
      const files = Array.from({ length: 6 }, () => ({ claim: claim(), held: 0 }));
      for (const { file, bytes, ends } of all) {
        const one = files[file]!;
        if (ends) one.claim.release();
        const others = files.reduce((sum, { held }) => sum + held, 0) - one.held;
        const fits = !ends && bytes <= 50 && others + bytes <= 100;
        if (!ends) expect(one.claim.hold(bytes)).toBe(fits);
        one.held = fits ? bytes : 0;
      }
      for (const one of files) one.claim.release();
      const [a, b, c] = [claim(), claim(), claim()];
      expect([a.hold(50), b.hold(50), c.hold(1)]).toEqual([true, true, false]);
    }),
  );
});

test("disk that a request has taken is given back once", () => {
  let used = 0;
  const disk = { reserve: (bytes: number) => void (used += bytes), release: (bytes: number) => void (used -= bytes) }; // prettier-ignore
  const claim = claims(disk, { heldBytes: 0, heldFileBytes: 0 })();
  claim.reserve(7);
  claim.reserve(5);
  expect(used).toBe(12);
  claim.release();
  claim.release();
  expect(used).toBe(0);
});
