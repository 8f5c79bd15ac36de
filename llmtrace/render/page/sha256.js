// SHA-256 (FIPS 180-4). The one of browsers is missing where a page is shown inside another.

/** The first 32 bits behind the point of the n-th root of the first primes. */
function primeDigits(count, root) {
  const digits = [];
  for (let candidate = 2; digits.length < count; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) prime &&= candidate % d !== 0;
    if (prime) digits.push(Math.floor((root(candidate) % 1) * 2 ** 32));
  }
  return digits;
}

const START = primeDigits(8, Math.sqrt);
const ROUNDS = Int32Array.from(primeDigits(64, Math.cbrt), (digits) => digits | 0);

const rotated = (x, by) => (x >>> by) | (x << (32 - by));

/** The digest of bytes, in hexadecimal digits. */
export function sha256(bytes) {
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) * 64);
  padded.set(bytes);
  padded[bytes.length] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, (bytes.length * 8) >>> 0);
  const state = Int32Array.from(START, (digits) => digits | 0);
  const words = new Int32Array(64);
  for (let start = 0; start < padded.length; start += 64) mixBlock(state, words, view, start);
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Stirs 64 bytes into the state. */
function mixBlock(state, words, view, start) {
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(start + 4 * i);
  for (let i = 16; i < 64; i++) {
    const early = words[i - 15];
    const late = words[i - 2];
    const first = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    words[i] = words[i - 16] + first + words[i - 7] + second;
  }
  let { 0: a, 1: b, 2: c, 3: d, 4: e, 5: f, 6: g, 7: h } = state; // as an object: an array's iterator takes longer
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + ROUNDS[i] + words[i]) | 0;
    const t2 = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const mixed = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] += mixed[i];
}
