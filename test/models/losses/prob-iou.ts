/** ProbIoU of two boxes `x y w h θ` as the paper writes it (arXiv:2106.06072, §3), in doubles. */

/** Covariance `[a c; c b]` of a uniform box. */
function covariance([, , w = 0, h = 0, angle = 0]: readonly number[]) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [u, v] = [w ** 2 / 12, h ** 2 / 12];
  return {
    a: u * cos * cos + v * sin * sin,
    b: u * sin * sin + v * cos * cos,
    c: (u - v) * cos * sin,
  };
}

export function probIou(one: readonly number[], other: readonly number[]): number {
  const [p, q] = [covariance(one), covariance(other)];
  const [x, y] = [(one[0] ?? 0) - (other[0] ?? 0), (one[1] ?? 0) - (other[1] ?? 0)];
  const [a, b, c] = [p.a + q.a, p.b + q.b, p.c + q.c];
  const whole = a * b - c * c;
  const each = (p.a * p.b - p.c ** 2) * (q.a * q.b - q.c ** 2);
  const distance =
    (a * y * y + b * x * x) / whole / 4 -
    (c * x * y) / whole / 2 +
    Math.log(whole / (4 * Math.sqrt(each))) / 2;
  return 1 - Math.sqrt(Math.max(1e-7, 1 - Math.exp(-distance)));
}
