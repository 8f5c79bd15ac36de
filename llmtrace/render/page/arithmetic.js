// The one rule of arithmetic: every operation is rounded to float32 at once, and sums go from left to right from +0.
//
// A JavaScript number is a float64. Math.fround rounds it to the nearest float32, ties to even. Of two float32, the
// float64 sum, difference, product, quotient and root have more than twice the digits of a float32, so that rounding
// twice gives what rounding once would: Math.fround(a * b) is the product of IEEE 754 binary32.
// (Figueroa, "When is double rounding innocuous?", SIGNUM 1995.)
//
// exp, log, tanh and erf are worked out in float64, with an error far below half a unit of float32, and rounded once.
// Their polynomials are the ones of docs/elementary.md; every literal is the shortest decimal of its float64.

export const f32 = Math.fround;

export const add = (a, b) => f32(a + b);
export const subtract = (a, b) => f32(a - b);
export const multiply = (a, b) => f32(a * b);
export const divide = (a, b) => f32(a / b);
export const root = (x) => f32(Math.sqrt(x));

/** Σ row, left to right, from +0. */
export function sum(row, start = 0) {
  let total = start;
  for (let k = 0; k < row.length; k++) total = f32(total + row[k]);
  return total;
}

/** Σ a·b: each product is rounded, then added. */
export function dot(a, b, start = 0) {
  let total = start;
  for (let k = 0; k < a.length; k++) total = f32(total + f32(a[k] * b[k]));
  return total;
}

/** The running total after each term of a sum. */
export function totals(row, start = 0) {
  let total = start;
  return Float32Array.from(row, (term) => (total = f32(total + term)));
}

/** The largest of a row; NaN where one of them is NaN. */
export function maximum(row) {
  let largest = -Infinity;
  for (const x of row) {
    if (Number.isNaN(x)) return NaN;
    if (x > largest) largest = x;
  }
  return largest;
}

/** x where it is above 0, else +0; NaN stays. */
/** The absolute value. */
export const absolute = Math.abs;

/** `then` where x is larger than the limit, else `otherwise`; NaN where either is NaN. */
export const above = (x, limit, then, otherwise) => (x > limit ? then : x <= limit ? otherwise : f32(x + limit));

export const relu = (x) => (x > 0 || Number.isNaN(x) ? x : 0);

/** Whether two numbers have the same bits. All NaN are one; −0 is not +0. */
export const sameBits = Object.is;

// ---- exp -------------------------------------------------------------------------------------------------------------

const ROUND_TO_INTEGER = 6755399441055744; // 1.5 · 2^52: adding it leaves no room for a fraction
const LOG2_OF_E = 1.4426950408889634;
const LN2_FIRST = 0.6931471805592082; // ln 2, its last 13 digits 0,
const LN2_REST = 7.371002565167799e-13; // and what they leave out
const WHOLE = new Float64Array(1);
const HALVES = new Int32Array(WHOLE.buffer); // the float64 as two halves: the second holds sign, exponent, first digits

/** 2^k for a whole number |k| ≤ 1022: k + 1023 put into the place of the exponent. */
function powerOfTwo(k) {
  HALVES[0] = 0;
  HALVES[1] = (k + 1023) << 20;
  return WHOLE[0];
}

const EXPM1 = [
  2.0924477950239687e-9, 2.5109022788201927e-8, 2.7557242628293133e-7, 2.7557244250017725e-6, 2.48015873607364e-5,
  0.00019841269886084964, 0.001388888888886673, 0.008333333333321648, 0.0416666666666667, 0.16666666666666677, 0.5,
];

/** A polynomial, the coefficient of the highest power first (Horner). */
function polynomial(coefficients, x) {
  let value = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) value = value * x + coefficients[i];
  return value;
}

/** e^x = power · (1 + rest), |x| < 700: power = 2^k, where x = k·ln 2 + r and rest = e^r − 1. */
function splitExp(x) {
  const k = x * LOG2_OF_E + ROUND_TO_INTEGER - ROUND_TO_INTEGER;
  const r = x - k * LN2_FIRST - k * LN2_REST; // k times the first part of ln 2 is exact
  return { power: powerOfTwo(k), rest: r + r * r * polynomial(EXPM1, r) };
}

/** e^x, the nearest float32. */
export function exp(x) {
  if (Number.isNaN(x)) return NaN;
  const { power, rest } = splitExp(Math.min(Math.max(x, -104), 89)); // beyond these, 0 and ∞
  return f32(power * (1 + rest));
}

// ---- tanh ------------------------------------------------------------------------------------------------------------

/** tanh x = u / (u + 2), u = e^(2|x|) − 1 = power·rest + (power − 1), which cancels nothing; with the sign of x. */
export function tanh(x) {
  if (Number.isNaN(x)) return NaN;
  const { power, rest } = splitExp(2 * Math.min(Math.abs(x), 10)); // from 9.010914 on, 1
  const u = power * rest + (power - 1);
  return f32(withSignOf(u / (u + 2), x));
}

const withSignOf = (size, x) => (x < 0 || Object.is(x, -0) ? -size : size);

// ---- erf -------------------------------------------------------------------------------------------------------------

// |x| < 1: x times this in x²; its last coefficient is what the first part of 2/√π leaves out.
const ERF_NEAR = [
  5.955999989518242e-11, -1.1372401578911888e-9, 1.465973870705836e-8, -1.6350321965549718e-7, 1.6461003118892412e-6,
  -1.4925595573430554e-5, 0.0001205533113229863, -0.000854832698169966, 0.0052239776248406734, -0.026866170645080352,
  0.1128379167095491, -0.3761263890318375, 9.692613531930338e-10,
];
// |x| ≥ 1: e^(x²) · (1 − erf x) is this in (|x| − 3) / (|x| + 3).
const ERF_FAR = [
  -6.553752359256626e-6, -6.358546888799741e-6, 7.174010651144074e-5, 5.03125030949091e-5, -0.0005949520486917842,
  0.0007083215712053619, 0.004269236182286222, -0.024392489517591043, 0.0716658374686425, -0.15011593654608837,
  0.24560380170764406, -0.3262335600431699, 0.17900115118138996,
];
const TWO_OVER_ROOT_PI = 1.1283791661262512; // its first 29 binary digits

/** 2/√π · ∫ e^(−t²) dt from 0 to x, the nearest float32. */
export function erf(x) {
  if (Number.isNaN(x)) return NaN;
  const size = Math.min(Math.abs(x), 3.95); // from 3.919206 on, 1
  const square = size * size; // exact
  if (size < 1) return f32(withSignOf(size * TWO_OVER_ROOT_PI + size * polynomial(ERF_NEAR, square), x));
  const { power, rest } = splitExp(-square);
  return f32(withSignOf(1 - power * (1 + rest) * polynomial(ERF_FAR, (size - 3) / (size + 3)), x));
}

// ---- log -------------------------------------------------------------------------------------------------------------

// log m = f − (f²/2 − s·(f²/2 + R)), f = m − 1, s = f / (2 + f); R is s² times this in s².
const LOG = [
  0.1479587061550623, 0.15314062079096025, 0.18183563728215038, 0.22222198587495282, 0.2857142874222391,
  0.39999999999415486, 0.6666666666666734,
];

/** The natural logarithm, the nearest float32: x = 2^k·m, √½ ≤ m < √2. */
export function log(x) {
  if (Number.isNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return Infinity;
  let k = exponentOf(x);
  let m = x / powerOfTwo(k);
  if (m >= Math.SQRT2) [k, m] = [k + 1, m / 2];
  const f = m - 1;
  const s = f / (2 + f);
  const halfSquare = 0.5 * f * f;
  const R = polynomial(LOG, s * s) * (s * s);
  const head = k * LN2_FIRST;
  const total = head + f;
  const lost = head - total + f; // exactly what the sum lost
  return f32(sumToOdd(total, lost + (k * LN2_REST - (halfSquare - s * (halfSquare + R)))));
}

/** The k with 2^k ≤ x < 2^(k + 1); a subnormal float32 is an ordinary float64. */
function exponentOf(x) {
  WHOLE[0] = x;
  return ((HALVES[1] >>> 20) & 2047) - 1023;
}

const DIGITS = new BigUint64Array(WHOLE.buffer);

/** large + small, |small| ≤ |large|, where a sum that has too many digits becomes the neighbour whose last digit is 1: it
 *  can't be taken for a tie when it is rounded again (Boldo & Melquiond, IEEE Trans. Computers 57(4), 2008). */
function sumToOdd(large, small) {
  const total = large + small;
  const lost = small - (total - large);
  if (lost === 0) return total;
  WHOLE[0] = total;
  if (DIGITS[0] & 1n) return total;
  DIGITS[0] += lost < 0 === total < 0 ? 1n : -1n; // away from 0, or towards it
  return WHOLE[0];
}

// ---- sin and cos -----------------------------------------------------------------------------------------------------

// Worked out in whole numbers of 2^-320, as on paper: of a float32 up to 2^128, the turns come off without loss.
const PLACES = 320n;
const UNIT = 1n << PLACES;
const HALF_PI = BigInt(
  "0x1921fb54442d18469898cc51701b839a252049c1114cf98e804177d4c76273644a2941" +
    "0f31c6809bb",
);

/** sin(x + ahead·π/2), the nearest float32. */
function turned(x, ahead) {
  const size = BigInt(Math.abs(x) * 2 ** 149) << (PLACES - 149n); // exact
  const quarters = (2n * size + HALF_PI) / (2n * HALF_PI);
  const rest = size - quarters * HALF_PI;
  const sign = x < 0 ? -1n : 1n;
  const quarter = Number((sign * quarters) & 3n) + ahead;
  const odd = quarter % 2;
  const square = (rest * rest) >> PLACES;
  let total = UNIT; // r·(1 − r²/(2·3)·(1 − r²/(4·5)·(1 − …))), or the cosine's 1 − r²/(1·2)·(1 − …)
  for (let n = 50; n >= 2; n -= 2) total = UNIT - ((total * square) >> PLACES) / BigInt(odd ? n * (n - 1) : n * (n + 1));
  if (!odd) total = (sign * total * rest) >> PLACES;
  if (quarter & 2) total = -total;
  const near = Number(total);
  const scale = 2 ** -320;
  return f32(sumToOdd(near * scale, Number(total - BigInt(near)) * scale));
}

/** The sine of x radians, the nearest float32. */
export const sin = (x) => (x === 0 ? x : Number.isFinite(x) ? turned(x, 0) : NaN);

/** The cosine of x radians, the nearest float32. */
export const cos = (x) => (Number.isFinite(x) ? turned(x, 1) : NaN);
