// Embeddings and linear layers: Σ x·weight + bias, k ascending, the bias last.

import { add, f32 } from "../arithmetic.js";
import { blocks, range, zeros } from "../tensors.js";

/** Row `ids[…]` of a table. */
export const embeddingOp = {
  name: "embedding",
  inputs: ["ids"],
  weights: ["weight"],
  forward({ ids, weight }) {
    const width = weight.shape[1];
    const out = zeros([...ids.shape, width]);
    ids.data.forEach((row, place) => out.data.set(weight.data.subarray(row * width, (row + 1) * width), place * width));
    return out;
  },
  axes: ({ ids }) => [...ids.axes, "feature"],
  explain(w) {
    const row = w.of("ids", w.index.slice(0, -1));
    w.do("look_up", "out", row, w.of("weight", [row.values, w.index.at(-1)]));
  },
};

/** Rows [rows, K] times a matrix [K, N], or [N, K] where transposed, plus the bias: [rows, N]. */
function times(rows, count, weight, bias, transposed) {
  const [depth, width] = transposed ? [weight.shape[1], weight.shape[0]] : weight.shape;
  const matrix = transposed ? turnedMatrix(weight.data, width, depth) : weight.data;
  const out = new Float32Array(count * width);
  for (let r = 0; r < count; r++) {
    for (let n = 0; n < width; n += 4) {
      const sums = fourSums(rows, r * depth, matrix, n, depth, width);
      for (let i = 0; i < 4 && n + i < width; i++) {
        out[r * width + n + i] = bias ? add(sums[i], bias.data[n + i]) : sums[i];
      }
    }
  }
  return { data: out, width };
}

/** The sums of four columns side by side, which is quicker; each goes from left to right on its own. */
function fourSums(rows, start, matrix, column, depth, width) {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let k = 0, at = column; k < depth; k++, at += width) {
    const x = rows[start + k];
    a = f32(a + f32(x * matrix[at]));
    b = f32(b + f32(x * matrix[at + 1]));
    c = f32(c + f32(x * matrix[at + 2]));
    d = f32(d + f32(x * matrix[at + 3]));
  }
  return [a, b, c, d];
}

const TURNED = new WeakMap(); // matrices that have been turned before

/** A matrix [rows, columns] as [columns, rows]. */
function turnedMatrix(data, rows, columns) {
  if (!TURNED.has(data)) {
    const other = new Float32Array(data.length);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) other[j * rows + i] = data[i * columns + j];
    TURNED.set(data, other);
  }
  return TURNED.get(data);
}

/** One sum of products, one bias. */
function explainOutput(w, x, column) {
  const weight = w.of("weight", w.settings.transposed ? [column, null] : [null, column]);
  if (w.has("bias")) w.do("add", "out", w.do("dot", "sum", x, weight), w.of("bias", [column]));
  else w.do("dot", "out", x, weight);
}

const outputAxis = (weight) =>
  ["vocabulary", "output", "neuron"].find((axis) => weight.axes.includes(axis)) ?? "feature";

export const linearOp = {
  name: "linear",
  inputs: ["x"],
  weights: ["weight", "bias"],
  forward({ x, weight, bias }, { transposed }) {
    const { count, leading } = blocks(x, 1);
    const { data, width } = times(x.data, count, weight, bias, transposed);
    return { data, shape: [...leading, width] };
  },
  axes: ({ x, weight }) => [...x.axes.slice(0, -1), outputAxis(weight)],
  explain(w) {
    explainOutput(w, w.of("x", [...w.index.slice(0, -1), null]), w.index.at(-1));
  },
};

/** x [*, T, K] → [*, H, T, D]: output column h·D + d is feature d of head h. */
export const linearToHeadsOp = {
  name: "linear_to_heads",
  inputs: ["x"],
  weights: ["weight", "bias"],
  forward({ x, weight, bias }, { heads }) {
    const { count, leading, last } = blocks(x, 2);
    const [positions] = last;
    const { data, width } = times(x.data, count * positions, weight, bias, false);
    const features = width / heads;
    const out = zeros([...leading, heads, positions, features]);
    for (let row = 0; row < count * positions; row++) {
      const [block, position] = [Math.floor(row / positions), row % positions];
      for (let head = 0; head < heads; head++) {
        const start = ((block * heads + head) * positions + position) * features;
        const from = row * width + head * features;
        out.data.set(data.subarray(from, from + features), start);
      }
    }
    return out;
  },
  axes: ({ x }) => [...x.axes.slice(0, -2), "head", x.axes.at(-2), "feature"],
  explain(w) {
    const [head, position, feature] = w.index.slice(-3);
    const x = w.of("x", [...w.index.slice(0, -3), position, null]);
    explainOutput(w, x, head * w.shape.at(-1) + feature);
  },
};

/** x [*, H, T, D] → [*, T, N]: input k = h·D + d is feature d of head h. */
export const linearFromHeadsOp = {
  name: "linear_from_heads",
  inputs: ["x"],
  weights: ["weight", "bias"],
  forward({ x, weight, bias }) {
    const { count, leading, last } = blocks(x, 3);
    const [heads, positions, features] = last;
    const merged = new Float32Array(x.data.length);
    for (let block = 0; block < count; block++) {
      for (let head = 0; head < heads; head++) {
        for (let position = 0; position < positions; position++) {
          const from = ((block * heads + head) * positions + position) * features;
          const start = (block * positions + position) * heads * features + head * features;
          merged.set(x.data.subarray(from, from + features), start);
        }
      }
    }
    const { data, width } = times(merged, count * positions, weight, bias, false);
    return { data, shape: [...leading, positions, width] };
  },
  axes: ({ x }) => [...x.axes.slice(0, -3), x.axes.at(-2), "feature"],
  explain(w) {
    const [position, column] = w.index.slice(-2);
    const [heads, , features] = w.sizes("x").slice(-3);
    const inputs = range(heads * features);
    const head = inputs.map((k) => Math.floor(k / features));
    const feature = inputs.map((k) => k % features);
    explainOutput(w, w.of("x", [...w.index.slice(0, -2), head, position, feature]), column);
  },
};
