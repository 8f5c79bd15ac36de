// One line for all the numbers of a run: who computes it elsewhere to the same bits gets the same line.

import { sha256 } from "./sha256.js";

const TEXT = new TextEncoder();
const QUIET_NAN = 0x7fc00000;

/** The digest of a tensor's numbers, little-endian, in C order; every NaN as the same one, whole numbers with 64 bits. */
export function tensorDigest({ data }) {
  if (data instanceof Int32Array) return sha256(new Uint8Array(BigInt64Array.from(data, BigInt).buffer));
  const numbers = data.slice();
  const bits = new Uint32Array(numbers.buffer);
  numbers.forEach((number, i) => {
    if (Number.isNaN(number)) bits[i] = QUIET_NAN;
  });
  return sha256(new Uint8Array(numbers.buffer));
}

/** SHA-256 over a line `name type shape digest` for each leaf and step, by name: as `llmtrace.trace.checksum` in Python.
 *  How tokens were chosen is left out, so that a text has the checksum that it has when it is typed. */
export function checksum(run) {
  const steps = [...run.steps.keys()].filter((name) => !name.startsWith("choice."));
  const lines = [...run.leaves, ...steps].sort().map((name) => {
    const tensor = run.tensor(name);
    const type = tensor.data instanceof Int32Array ? "int64" : "float32";
    return `${name} ${type} ${tensor.shape.join("x")} ${tensorDigest(tensor)}\n`;
  });
  return sha256(TEXT.encode(lines.join("")));
}
