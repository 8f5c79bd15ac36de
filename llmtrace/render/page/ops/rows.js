// Along the last axis: layer norm, RMS norm and softmax.

import { add, divide, dot, exp, f32, maximum, multiply, root, subtract, sum } from "../arithmetic.js";
import { blocks, zeros } from "../tensors.js";

/** Does something with every row. */
function byRows(x, row) {
  const { count, last } = blocks(x, 1);
  const [width] = last;
  const out = zeros(x.shape);
  for (let r = 0; r < count; r++) out.data.set(row(x.data.subarray(r * width, (r + 1) * width)), r * width);
  return out;
}

/** mean = Σx / C; d = x − mean; variance = Σ(d·d) / C; ((d / √(variance + ε)) · gain) + bias. */
export const layerNormOp = {
  name: "layer_norm",
  inputs: ["x"],
  weights: ["gain", "bias"],
  forward({ x, gain, bias }, { epsilon }) {
    return byRows(x, (row) => {
      const mean = divide(sum(row), f32(row.length));
      const d = row.map((each) => subtract(each, mean));
      const variance = divide(sum(d.map((each) => multiply(each, each))), f32(row.length));
      const spread = root(add(variance, f32(epsilon)));
      return d.map((each, i) => add(multiply(divide(each, spread), gain.data[i]), bias.data[i]));
    });
  },
  axes: ({ x }) => x.axes,
  explain(w) {
    const row = w.of("x", [...w.index.slice(0, -1), null]);
    const feature = w.index.at(-1);
    const count = w.constant(row.index.at(-1).length, "C");
    const mean = w.do("divide", "mean", w.do("sum", "sum", row), count);
    const d = w.do("subtract", "difference", row, mean);
    const squares = w.do("sum", "sum of squares", w.do("multiply", "square", d, d));
    const variance = w.do("divide", "variance", squares, count);
    const spread = w.do("root", "root", w.do("add", "variance + ε", variance, w.constant(w.settings.epsilon, "ε")));
    const own = w.do("subtract", "own difference", w.of("x", w.index), mean);
    const scaled = w.do("multiply", "scaled", w.do("divide", "normalised", own, spread), w.of("gain", [feature]));
    w.do("add", "out", scaled, w.of("bias", [feature]));
  },
};

/** (x / √(Σ(x·x) / C + ε)) · gain. */
export const rmsNormOp = {
  name: "rms_norm",
  inputs: ["x"],
  weights: ["gain"],
  forward({ x, gain }, { epsilon }) {
    return byRows(x, (row) => {
      const spread = root(add(divide(dot(row, row), f32(row.length)), f32(epsilon)));
      return row.map((each, i) => multiply(divide(each, spread), gain.data[i]));
    });
  },
  axes: ({ x }) => x.axes,
  explain(w) {
    const row = w.of("x", [...w.index.slice(0, -1), null]);
    const count = w.constant(row.index.at(-1).length, "C");
    const mean = w.do("divide", "mean of squares", w.do("dot", "sum of squares", row, row), count);
    const moved = w.do("add", "mean of squares + ε", mean, w.constant(w.settings.epsilon, "ε"));
    const scaled = w.do("divide", "scaled", w.of("x", w.index), w.do("root", "root mean square", moved));
    w.do("multiply", "out", scaled, w.of("gain", [w.index.at(-1)]));
  },
};

/** e / Σe, e = exp(x − maximum). */
export function softmaxRow(row) {
  const largest = maximum(row);
  const e = row.map((x) => exp(subtract(x, largest)));
  const total = sum(e);
  return e.map((each) => divide(each, total));
}

export const softmaxOp = {
  name: "softmax",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => byRows(x, softmaxRow),
  axes: ({ x }) => x.axes,
  explain(w) {
    explainShare(w, w.of("x", [...w.index.slice(0, -1), null]), w.of("x", w.index));
  },
};

/** The share of `own` among the numbers of `row`. */
export function explainShare(w, row, own) {
  const largest = w.do("maximum", "maximum", row);
  const e = w.do("exp", "exponential", w.do("subtract", "shifted", row, largest));
  const total = w.do("sum", "sum of exponentials", e);
  const share = w.do("exp", "own exponential", w.do("subtract", "own shifted", own, largest));
  w.do("divide", "out", share, total);
}
