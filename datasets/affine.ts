/**
 * The affine transform between pixels and map coordinates.
 *
 *     x = a·column + b·row + c
 *     y = d·column + e·row + f
 *
 * `(column, row) = (0, 0)` is the outer corner of the first pixel, `(0.5, 0.5)` its centre. GDAL writes the same
 * six numbers as `(c, a, b, f, d, e)`.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Map coordinates of a point given in pixels. */
export function apply(
  [a, b, c, d, e, f]: Affine,
  column: number,
  row: number,
): readonly [x: number, y: number] {
  return [a * column + b * row + c, d * column + e * row + f];
}

/** The transform back from map to pixels. @throws {RangeError} where the transform has no inverse. */
export function invert([a, b, c, d, e, f]: Affine): Affine {
  const determinant = a * e - b * d;
  if (determinant === 0 || !Number.isFinite(determinant)) {
    throw new RangeError(
      `invert: the transform must have an inverse, received determinant ${determinant}`,
    );
  }
  const [ia, ib, id, ie] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
}

/** First `inner`, then `outer`. */
export function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = inner;
  const [x0, y0] = apply(outer, c, f);
  return [
    outer[0] * a + outer[1] * d,
    outer[0] * b + outer[1] * e,
    x0,
    outer[3] * a + outer[4] * d,
    outer[3] * b + outer[4] * e,
    y0,
  ];
}
