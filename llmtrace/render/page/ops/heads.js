// What a Llama does to the queries, keys and values of its heads: turned by their places, and shared.

import { add, multiply, subtract } from "../arithmetic.js";
import { blocks, zeros } from "../tensors.js";

/** Where the two numbers of a pair stand in a row: side by side where interleaved, else in its two halves. */
const placesOfPair = (pair, pairs, interleaved) => (interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + pairs]);

/** x [*, H, T, 2·D], cosine, sine [*, T, D]: the pair (a, b) becomes (a·cos − b·sin, b·cos + a·sin). */
export const rotateOp = {
  name: "rotate",
  inputs: ["x", "cosine", "sine"],
  weights: [],
  forward({ x, cosine, sine }, { interleaved }) {
    const { count, last } = blocks(x, 3);
    const [heads, positions, width] = last;
    const pairs = width / 2;
    const out = zeros(x.shape);
    for (let row = 0; row < count * heads * positions; row++) {
      const [block, position] = [Math.floor(row / (heads * positions)), row % positions];
      for (let pair = 0; pair < pairs; pair++) {
        const [first, second] = placesOfPair(pair, pairs, interleaved).map((place) => row * width + place);
        const at = (block * positions + position) * pairs + pair;
        const [a, b, cos, sin] = [x.data[first], x.data[second], cosine.data[at], sine.data[at]];
        out.data[first] = subtract(multiply(a, cos), multiply(b, sin));
        out.data[second] = add(multiply(b, cos), multiply(a, sin));
      }
    }
    return out;
  },
  axes: ({ x }) => x.axes,
  explain(w) {
    const [position, feature] = w.index.slice(-2);
    const pairs = w.sizes("cosine").at(-1);
    const { interleaved } = w.settings;
    const pair = interleaved ? Math.floor(feature / 2) : feature % pairs;
    const places = placesOfPair(pair, pairs, interleaved);
    const [a, b] = places.map((place) => w.of("x", [...w.index.slice(0, -1), place]));
    const [cos, sin] = ["cosine", "sine"].map((name) => w.of(name, [...w.index.slice(0, -3), position, pair]));
    if (feature === places[1]) w.do("add", "out", w.do("multiply", "b·cos", b, cos), w.do("multiply", "a·sin", a, sin));
    else w.do("subtract", "out", w.do("multiply", "a·cos", a, cos), w.do("multiply", "b·sin", b, sin));
  },
};

/** x [*, G, T, D] → [*, G·R, T, D]: head g is copied to the heads g·R … g·R + R − 1, R = `copies`. */
export const repeatHeadsOp = {
  name: "repeat_heads",
  inputs: ["x"],
  weights: [],
  forward({ x }, { copies }) {
    const { count, leading, last } = blocks(x, 3);
    const [heads, positions, features] = last;
    const size = positions * features;
    const out = zeros([...leading, heads * copies, positions, features]);
    for (let head = 0; head < count * heads * copies; head++) {
      const from = Math.floor(head / copies) * size;
      out.data.set(x.data.subarray(from, from + size), head * size);
    }
    return out;
  },
  axes: ({ x }) => x.axes,
  explain(w) {
    const [head, position, feature] = w.index.slice(-3);
    const shared = Math.floor(head / w.settings.copies);
    w.do("take", "out", w.of("x", [...w.index.slice(0, -3), shared, position, feature]));
  },
};
