// Attention: every query t sees the keys 0 … S − T + t. Masked keys are skipped, not multiplied by zero.

import { divide, dot, f32, multiply } from "../arithmetic.js";
import { blocks, range, zeros } from "../tensors.js";
import { explainShare, softmaxRow } from "./rows.js";

/** How many keys a query sees. */
const seen = (query, [queries, keys]) => keys - queries + query + 1;

/** (Σ q·k) / √D; masked scores are −∞. */
export const attentionScoresOp = {
  name: "attention_scores",
  inputs: ["q", "k"],
  weights: [],
  whole: ["k"],
  unseen: -Infinity,
  forward({ q, k }) {
    const { count, leading, last } = blocks(q, 2);
    const [queries, width] = last;
    const keys = k.shape.at(-2);
    const out = zeros([...leading, queries, keys]);
    const divisor = f32(Math.sqrt(width));
    out.data.fill(-Infinity);
    for (let row = 0; row < count * queries; row++) {
      const [block, query] = [Math.floor(row / queries), row % queries];
      const asked = q.data.subarray(row * width, (row + 1) * width);
      for (let key = 0; key < seen(query, [queries, keys]); key++) {
        const start = (block * keys + key) * width;
        out.data[row * keys + key] = divide(dot(asked, k.data.subarray(start, start + width)), divisor);
      }
    }
    return out;
  },
  axes: ({ q }) => [...q.axes.slice(0, -2), "query", "key"],
  explain(w) {
    const [query, key] = w.index.slice(-2);
    const leading = w.index.slice(0, -2);
    if (key >= seen(query, w.shape.slice(-2))) {
      w.do("masked", "out", w.constant(-Infinity, "masked"));
      return;
    }
    const total = w.do("dot", "sum", w.of("q", [...leading, query, null]), w.of("k", [...leading, key, null]));
    w.do("divide", "out", total, w.constant(Math.sqrt(w.sizes("q").at(-1)), "√D"));
  },
};

/** Softmax over the keys that a query sees; the later ones get 0. */
export const causalSoftmaxOp = {
  name: "causal_softmax",
  inputs: ["x"],
  weights: [],
  forward({ x }) {
    const { count, last } = blocks(x, 2);
    const [queries, keys] = last;
    const out = zeros(x.shape);
    for (let row = 0; row < count * queries; row++) {
      const kept = seen(row % queries, last);
      out.data.set(softmaxRow(x.data.subarray(row * keys, row * keys + kept)), row * keys);
    }
    return out;
  },
  axes: ({ x }) => x.axes,
  explain(w) {
    const [query, key] = w.index.slice(-2);
    const kept = seen(query, w.shape.slice(-2));
    if (key >= kept) w.do("masked", "out", w.constant(0, "masked"));
    else explainShare(w, w.of("x", [...w.index.slice(0, -2), query, range(kept)]), w.of("x", w.index));
  },
};

/** Σ pattern·v over the keys that a query sees, ascending. */
export const attentionMixOp = {
  name: "attention_mix",
  inputs: ["pattern", "v"],
  weights: [],
  whole: ["v"],
  forward({ pattern, v }) {
    const { count, leading, last } = blocks(pattern, 2);
    const [queries, keys] = last;
    const width = v.shape.at(-1);
    const out = zeros([...leading, queries, width]);
    for (let row = 0; row < count * queries; row++) {
      const [block, query] = [Math.floor(row / queries), row % queries];
      const sums = out.data.subarray(row * width, (row + 1) * width);
      for (let key = 0; key < seen(query, last); key++) {
        const share = pattern.data[row * keys + key];
        const handed = v.data.subarray((block * keys + key) * width, (block * keys + key + 1) * width);
        for (let d = 0; d < width; d++) sums[d] = f32(sums[d] + multiply(share, handed[d]));
      }
    }
    return out;
  },
  axes: ({ pattern }) => [...pattern.axes.slice(0, -2), "position", "feature"],
  explain(w) {
    const [query, feature] = w.index.slice(-2);
    const leading = w.index.slice(0, -2);
    const keys = range(seen(query, w.sizes("pattern").slice(-2)));
    w.do("dot", "out", w.of("pattern", [...leading, query, keys]), w.of("v", [...leading, keys, feature]));
  },
};
