// One calculation per element.

import { add, divide, erf, exp, f32, multiply, relu, tanh } from "../arithmetic.js";

export const addOp = {
  name: "add",
  inputs: ["a", "b"],
  weights: [],
  forward: ({ a, b }) => ({ data: a.data.map((x, i) => add(x, b.data[i])), shape: a.shape }),
  axes: ({ a }) => a.axes,
  explain(w) {
    w.do("add", "out", w.of("a", w.index), w.of("b", w.index));
  },
};

export const multiplyOp = {
  name: "multiply",
  inputs: ["a", "b"],
  weights: [],
  forward: ({ a, b }) => ({ data: a.data.map((x, i) => multiply(x, b.data[i])), shape: a.shape }),
  axes: ({ a }) => a.axes,
  explain(w) {
    w.do("multiply", "out", w.of("a", w.index), w.of("b", w.index));
  },
};

/** Every element times one constant. */
export const scaleOp = {
  name: "scale",
  inputs: ["x"],
  weights: [],
  unseen: -Infinity,
  forward: ({ x }, { factor }) => ({ data: x.data.map((each) => multiply(each, f32(factor))), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    w.do("multiply", "out", w.of("x", w.index), w.constant(w.settings.factor, "factor"));
  },
};

/** Every element divided by one constant: scores by a temperature. */
export const divideByOp = {
  name: "divide_by",
  inputs: ["x"],
  weights: [],
  forward: ({ x }, { divisor }) => ({ data: x.data.map((each) => divide(each, f32(divisor))), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    w.do("divide", "out", w.of("x", w.index), w.constant(w.settings.divisor, "divisor"));
  },
};

const ROOT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** GELU in its tanh form: (0.5·x) · (1 + tanh(√(2/π) · (x + 0.044715·((x·x)·x)))). */
function geluTanh(x) {
  const cubic = multiply(f32(CUBIC), multiply(multiply(x, x), x));
  const inner = multiply(f32(ROOT_TWO_OVER_PI), add(x, cubic));
  return multiply(multiply(0.5, x), add(1, tanh(inner)));
}

export const geluTanhOp = {
  name: "gelu_tanh",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => ({ data: x.data.map((each) => geluTanh(each)), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    const x = w.of("x", w.index);
    const cube = w.do("multiply", "x³", w.do("multiply", "x²", x, x), x);
    const cubic = w.do("multiply", "0.044715 · x³", w.constant(CUBIC, "0.044715"), cube);
    const bent = w.do("add", "bent", x, cubic);
    const inner = w.do("multiply", "inner", w.constant(ROOT_TWO_OVER_PI, "√(2/π)"), bent);
    const gate = w.do("add", "1 + tanh", w.constant(1, "1"), w.do("tanh", "tanh", inner));
    w.do("multiply", "out", w.do("multiply", "half", w.constant(0.5, "½"), x), gate);
  },
};

/** GELU as it was defined: (0.5·x) · (1 + erf(x / √2)). */
const geluErf = (x) => multiply(multiply(0.5, x), add(1, erf(divide(x, f32(Math.SQRT2)))));

export const geluErfOp = {
  name: "gelu_erf",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => ({ data: x.data.map((each) => geluErf(each)), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    const x = w.of("x", w.index);
    const bent = w.do("erf", "erf", w.do("divide", "x/√2", x, w.constant(Math.SQRT2, "√2")));
    const gate = w.do("add", "1 + erf", w.constant(1, "1"), bent);
    w.do("multiply", "out", w.do("multiply", "half", w.constant(0.5, "½"), x), gate);
  },
};

/** x times its own sigmoid: x · (1 / (1 + exp(−x))). */
const silu = (x) => multiply(x, divide(1, add(1, exp(-x))));

export const siluOp = {
  name: "silu",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => ({ data: x.data.map((each) => silu(each)), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    const x = w.of("x", w.index);
    const one = w.constant(1, "1");
    const power = w.do("exp", "exponential", w.do("negate", "−x", x));
    w.do("multiply", "out", x, w.do("divide", "sigmoid", one, w.do("add", "1 + exp", one, power)));
  },
};

export const reluOp = {
  name: "relu",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => ({ data: x.data.map(relu), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    w.do("relu", "out", w.of("x", w.index));
  },
};

export const tanhOp = {
  name: "tanh",
  inputs: ["x"],
  weights: [],
  forward: ({ x }) => ({ data: x.data.map((each) => tanh(each)), shape: x.shape }),
  axes: ({ x }) => x.axes,
  explain(w) {
    w.do("tanh", "out", w.of("x", w.index));
  },
};
