// Numbers as text: the shortest that reads back to the same float32, or rounded for tables.

import { f32 } from "./arithmetic.js";
import { _ } from "./words.js";

/** The shortest decimal that reads back to the same bits, as the command line writes it. */
export function exact(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [digits, exponent] = shortest(value);
  const size = Math.abs(value);
  if (size < 1e-5 || size >= 1e16) return scientific(digits, exponent);
  const text = positional(digits.replace("-", ""), exponent);
  return value < 0 ? `-${text}` : text;
}

/** A number of a tensor: of one of whole numbers, without a point. */
export const exactOf = (data, value) => (data instanceof Int32Array ? String(value) : exact(value));

/** The digits of the shortest decimal, with their sign and without a point, and the exponent of the first. */
function shortest(value) {
  for (let count = 1; ; count++) {
    const text = value.toExponential(count - 1);
    if (f32(Number(text)) !== value && count < 21) continue;
    const [digits, exponent] = [text, toEven(value, count)]
      .findLast((each) => each && f32(Number(each)) === value)
      .split("e");
    return [digits.replace(".", ""), Number(exponent)];
  }
}

/** Of two decimals that are equally near, the one whose last digit is even; JavaScript takes the larger. */
function toEven(value, count) {
  const [whole, exponent] = value.toExponential(100).split("e");
  const end = count + whole.indexOf(".");
  if (!/^50*$/.test(whole.slice(end)) || Number(whole[end - 1]) % 2) return null;
  return `${whole.slice(0, end)}e${exponent}`;
}

function positional(digits, exponent) {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${whole}.${digits.slice(exponent + 1) || "0"}`;
}

function scientific(digits, exponent) {
  const [sign, rest] = digits.startsWith("-") ? ["-", digits.slice(1)] : ["", digits];
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${rest[0]}.${rest.slice(1) || "0"}e${exponent < 0 ? "-" : "+"}${size}`;
}

/** A number to read: about four digits, with a real minus sign. */
export function rounded(value, digits = 4) {
  if (!Number.isFinite(value)) return exact(value).replace("inf", "∞").replace("-", "−");
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size < 1e-5 || size >= 1e7 ? power(value, digits) : fixed(value, digits);
  return text.replace(/-/g, "−");
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** With a power of ten, as the reader's language writes it. */
function power(value, digits) {
  const [first, exponent] = (toEven(value, digits) ?? value.toExponential(digits - 1)).split("e");
  const size = exponent.slice(1);
  if (_("e") === "e") return `${first}e${exponent[0]}${size.padStart(2, "0")}`;
  return `${first}${_("e")}${exponent[0] === "-" ? "⁻" : ""}${[...size].map((digit) => RAISED[digit]).join("")}`;
}

/** With about so many digits; but 0.99998 is not written as 1.0000. */
function fixed(value, digits) {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const fewest = Math.max(0, digits - 1 - exponent);
  for (let decimals = fewest; ; decimals++) {
    const text = fixedToEven(value, decimals);
    if (!Number.isInteger(Number(text)) || Math.abs(value) >= 10 ** (digits - 1) || decimals >= 9) return text;
  }
}

/** With so many decimals; of two that are equally near, the one whose last digit is even. */
function fixedToEven(value, decimals) {
  const whole = value.toFixed(100);
  const end = whole.indexOf(".") + (decimals ? 1 + decimals : 0);
  const tie = /^\.?50*$/.test(whole.slice(end)) && Number(whole[end - 1]) % 2 === 0;
  return tie ? whole.slice(0, end) : value.toFixed(decimals);
}

export const percent = (share) =>
  Number.isFinite(share) ? _("{number} %", { number: rounded(share * 100) }) : rounded(share);

/** A count with its thousands apart. */
export const counted = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
