// Cosines and sines of position · base^(−i/D), the angles by which rotary positions turn. An angle is a real number that no
// float holds, so everything is worked out in whole numbers of 2^−300 (BigInt), and rounded to float32 once, at the end.

const BITS = 300n;
const ONE = 1n << BITS;

const fixedProduct = (a, b) => (a * b) >> BITS;
const fixedQuotient = (a, b) => (a << BITS) / b;

/** Σ first · ratio^n / (below(1) · … · below(n)), until nothing is left. */
function series(first, ratio, below) {
  let [total, term] = [first, first];
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = fixedProduct(term, ratio) / below(n);
    total += term;
  }
  return total;
}

/** artanh(1/n) or, with a minus, arctan(1/n): Σ ±1/((2i + 1)·n^(2i + 1)). */
function inverseTangent(n, sign) {
  let total = 0n;
  for (let i = 0n, power = ONE / n; power !== 0n; i++, power /= sign * n * n) total += power / (2n * i + 1n);
  return total;
}

const LN_2 = 2n * inverseTangent(3n, 1n);
const QUARTER = 2n * (4n * inverseTangent(5n, -1n) - inverseTangent(239n, -1n)); // π/2, after Machin

/** ln of a positive float64: of m · 2^e, 1 ≤ m < 2, it is e·ln 2 + 2·artanh((m − 1) / (m + 1)). */
function naturalLog(x) {
  const e = Math.floor(Math.log2(x));
  const m = (BigInt(x / 2 ** e * 2 ** 52) << BITS) >> 52n;
  const ratio = fixedQuotient(m - ONE, m + ONE);
  const square = fixedProduct(ratio, ratio);
  let total = 0n;
  for (let i = 0n, power = ratio; power !== 0n; i++, power = fixedProduct(power, square)) total += power / (2n * i + 1n);
  return BigInt(e) * LN_2 + 2n * total;
}

/** e^x = 2^k · e^r, r = x − k·ln 2, 0 ≤ r < ln 2. */
function powerOfE(x) {
  let k = x / LN_2;
  if (k * LN_2 > x) k -= 1n;
  const rest = series(ONE, x - k * LN_2, (n) => n);
  return k < 0n ? rest >> -k : rest << k;
}

/** [cos x, sin x]; x is brought to at most π/4 on either side of a quarter turn. */
function cosineAndSine(x) {
  const quarters = (x + QUARTER / 2n) / QUARTER;
  const rest = x - quarters * QUARTER;
  const square = -fixedProduct(rest, rest);
  const cosine = series(ONE, square, (n) => (2n * n - 1n) * 2n * n);
  const sine = series(rest, square, (n) => 2n * n * (2n * n + 1n));
  return [
    [cosine, sine],
    [-sine, cosine],
    [-cosine, -sine],
    [sine, -cosine],
  ][quarters % 4n];
}

/** The nearest float32: 24 digits stay, or those above 2^−149. None of these values lies on a tie. */
function nearest(value) {
  const size = value < 0n ? -value : value;
  const length = BigInt(size.toString(2).length);
  const dropped = length - 24n > BITS - 149n ? length - 24n : BITS - 149n;
  const digits = (size + (1n << (dropped - 1n))) >> dropped;
  return (value < 0n ? -1 : 1) * Number(digits) * 2 ** Number(dropped - BITS);
}

const ROWS = new Map(); // what has been worked out before

function rowOfTurns(position, pairs, base) {
  const key = `${position} ${pairs} ${base}`;
  if (!ROWS.has(key)) {
    const log = naturalLog(base);
    const angles = Array.from({ length: pairs }, (_unused, i) => powerOfE((-log * BigInt(i)) / BigInt(pairs)));
    ROWS.set(key, angles.map((angle) => cosineAndSine(angle * BigInt(position)).map(nearest)));
  }
  return ROWS.get(key);
}

/** Of positions, the cosines and sines [positions, pairs] of position · base^(−i/pairs), i = 0 … pairs − 1. */
export function turns(positions, pairs, base) {
  const rows = Array.from(positions, (position) => rowOfTurns(position, pairs, base)).flat();
  return [0, 1].map((which) => Float32Array.from(rows, (pair) => pair[which]));
}
