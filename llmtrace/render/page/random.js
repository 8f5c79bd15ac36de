// Random numbers that anybody can compute again: SplitMix64 (Steele, Lea & Flood 2014), a function of seed and place.

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;

/** 64 bits, stirred. */
function mixed(number) {
  number = ((number ^ (number >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  number = ((number ^ (number >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return number ^ (number >> 31n);
}

/** A number in [0, 1): the first 24 bits of that place. */
export function uniform(seed, place) {
  const start = mixed(BigInt(seed) & MASK);
  return Number(mixed(((BigInt(place) + 1n) * GOLDEN + start) & MASK) >> 40n) * 2 ** -24;
}
