// How the next token is chosen from the scores.

import { f32, multiply, sum } from "../arithmetic.js";
import { firstAbove, placeOfLargest, ranking } from "../derivation.js";
import { blocks, zeros } from "../tensors.js";
import { softmaxRow } from "./rows.js";

/** The rows of a tensor. */
function* rowsOf({ data, shape }) {
  const width = shape.at(-1);
  for (let start = 0; start < data.length; start += width) yield data.subarray(start, start + width);
}

/** One whole number for every row. */
const placeOf = (x, place) => ({ data: Int32Array.from([...rowsOf(x)], place), shape: x.shape.slice(0, -1) });

/** The place of the largest; the first of equals; a NaN counts as largest. */
export const argmaxOp = {
  name: "argmax",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => placeOf(x, placeOfLargest),
  axes: ({ x }) => x.axes.slice(0, -1),
  explain(w) {
    w.do("argmax", "out", w.of("x", [...w.index, null]));
  },
};

/** Row `index` of x. */
export const selectOp = {
  name: "select",
  inputs: ["index", "x"],
  weights: [],
  forward({ index, x }) {
    const { leading, last } = blocks(x, 2);
    const [rows, width] = last;
    const out = zeros([...leading, width]);
    index.data.forEach((row, i) =>
      out.data.set(x.data.subarray((i * rows + row) * width, (i * rows + row + 1) * width), i * width),
    );
    return out;
  },
  axes: ({ x }) => [...x.axes.slice(0, -2), x.axes.at(-1)],
  explain(w) {
    const leading = w.index.slice(0, -1);
    const index = w.of("index", leading);
    w.do("look_up", "out", index, w.of("x", [...leading, index.values, w.index.at(-1)]));
  },
};

/** Every row with −∞ at the places that are not kept. */
function dropped(x, kept) {
  const out = zeros(x.shape);
  let start = 0;
  for (const row of rowsOf(x)) {
    const keep = kept(row);
    out.data.set(
      row.map((number, place) => (keep.has(place) ? number : -Infinity)),
      start,
    );
    start += row.length;
  }
  return out;
}

/** The k largest stay, of equals the first, a NaN as the largest. */
export const topKOp = {
  name: "top_k",
  inputs: ["x"],
  weights: [],
  forward: ({ x }, { k }) => dropped(x, (row) => new Set(ranking(row).slice(0, k))),
  axes: ({ x }) => x.axes,
  explain(w) {
    const row = w.of("x", [...w.index.slice(0, -1), null]);
    const ahead = w.do("ahead", "ahead", row, w.count(w.index.at(-1), "place"));
    w.do("keep", "out", w.of("x", w.index), ahead, w.count(w.settings.k, "k"));
  },
};

/** The places whose predecessors, from the largest on, have shares that add up to less than p. */
function likeliest(row, p) {
  const shares = softmaxRow(row);
  const kept = new Set();
  let total = 0;
  for (const place of ranking(row)) {
    if (!(total >= p)) kept.add(place);
    total = f32(total + shares[place]);
  }
  return kept;
}

export const topPOp = {
  name: "top_p",
  inputs: ["x"],
  weights: [],
  forward: ({ x }, { p }) => dropped(x, (row) => likeliest(row, f32(p))),
  axes: ({ x }) => x.axes,
  explain(w) {
    const leading = w.index.slice(0, -1);
    const p = w.constant(w.settings.p, "p");
    const whole = w.of("x", [...leading, null]);
    const ahead = w.do("ahead", "ahead", whole, w.count(w.index.at(-1), "place"));
    if (ahead.values === 0) {
      w.do("keep", "out", w.of("x", w.index), w.constant(0, "0"), p);
      return;
    }
    const largest = w.do("maximum", "maximum", whole);
    const e = w.do("exp", "exponential", w.do("subtract", "shifted", whole, largest));
    const total = w.do("sum", "sum of exponentials", e);
    const larger = w.of("x", [...leading, ranking(whole.values).slice(0, ahead.values)]);
    const above = w.do("exp", "exponential of a larger one", w.do("subtract", "larger one shifted", larger, largest));
    const shares = w.do("sum", "shares of the larger ones", w.do("divide", "share", above, total));
    w.do("keep", "out", w.of("x", w.index), shares, p);
  },
};

/** The first place at which the running total is above number · (the whole total). */
export const sampleOp = {
  name: "sample",
  inputs: ["probabilities", "number"],
  weights: [],
  forward: ({ probabilities, number }) =>
    placeOf(probabilities, (row, i) => firstAbove(row, multiply(number.data[i], sum(row)))),
  axes: ({ number }) => number.axes,
  explain(w) {
    const row = w.of("probabilities", [...w.index, null]);
    const limit = w.do("multiply", "limit", w.of("number", w.index), w.do("sum", "whole total", row));
    w.do("first_above", "out", row, limit);
  },
};
