// One calculation per element.

import { add, divide, f32, multiply, tanh } from "../arithmetic.js";

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
