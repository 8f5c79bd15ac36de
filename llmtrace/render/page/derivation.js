// The lines of an explanation: one elementary operation each, computed as it is written, from recorded numbers alone.
//
// An operand is a number or a row of numbers from a tensor { tensor, axes, index, values }, a constant of the formula
// { constant, values }, or the result of an earlier line { line, values }.

import {
  above,
  absolute,
  add,
  cos,
  divide,
  dot,
  erf,
  exp,
  f32,
  log,
  maximum,
  multiply,
  relu,
  root,
  sameBits,
  sin,
  subtract,
  sum,
  tanh,
  totals,
} from "./arithmetic.js";
import { offset, range } from "./tensors.js";

/** Does one operation with two operands, each a number or a row. */
const pairwise = (operation) => (a, b) => {
  if (a.length === undefined && b.length === undefined) return operation(a, b);
  const count = a.length ?? b.length;
  return Float32Array.from({ length: count }, (_unused, i) => operation(a[i] ?? a, b[i] ?? b));
};

/** Does an operation with any number of operands, each a number or a row. */
const eachOf =
  (operation) =>
  (...given) => {
    const count = given.find((each) => each.length !== undefined)?.length;
    const at = (i) => operation(...given.map((each) => each[i] ?? each));
    return count === undefined ? operation(...given) : Float32Array.from({ length: count }, (_unused, i) => at(i));
  };

const each = (operation) => (x) => (x.length === undefined ? operation(x) : Float32Array.from(x, operation));

export const OPERATIONS = {
  take: { symbol: "", compute: (x) => x },
  look_up: { symbol: "", compute: (_row, value) => value },
  masked: { symbol: "", compute: (value) => value },
  add: { symbol: "+", compute: pairwise(add) },
  subtract: { symbol: "−", compute: pairwise(subtract) },
  negate: { symbol: "−", compute: each((x) => -x) },
  multiply: { symbol: "×", compute: pairwise(multiply) },
  divide: { symbol: "÷", compute: pairwise(divide) },
  root: { symbol: "√", compute: each(root) },
  exp: { symbol: "exp", compute: each(exp) },
  log: { symbol: "log", compute: each(log) },
  tanh: { symbol: "tanh", compute: each(tanh) },
  erf: { symbol: "erf", compute: each(erf) },
  relu: { symbol: "max(0, x)", compute: each(relu) },
  sin: { symbol: "sin", compute: each(sin) },
  cos: { symbol: "cos", compute: each(cos) },
  absolute: { symbol: "abs", compute: each(absolute) },
  above: { symbol: "above", compute: eachOf(above) },
  maximum: { symbol: "max", compute: maximum },
  argmax: { symbol: "argmax", compute: placeOfLargest },
  ahead: { symbol: "ahead", compute: countAhead },
  keep: { symbol: "keep", compute: (x, measure, limit) => (measure >= limit ? -Infinity : x) },
  first_above: { symbol: "first Σ above", compute: firstAbove },
  sum: { symbol: "Σ", compute: sum },
  totals: { symbol: "Σ", compute: totals },
  dot: { symbol: "Σ ×", compute: dot },
  sum_from: { symbol: "Σ", compute: sum },
  totals_from: { symbol: "Σ", compute: totals },
  dot_from: { symbol: "Σ ×", compute: dot },
};

/** The place of the largest of a row: the first of equals, and NaN is larger than all. */
export function placeOfLargest(row) {
  let best = 0;
  for (let place = 1; place < row.length; place++) if (isAhead(row[place], row[best])) best = place;
  return best;
}

/** Whether a number stands before another in the order from the largest on. */
const isAhead = (a, b) => (Number.isNaN(a) ? !Number.isNaN(b) : a > b);

/** The places of a row from the largest number on; equals stay in their order. */
export function ranking(row) {
  return range(row.length).sort((i, j) => (isAhead(row[i], row[j]) ? -1 : isAhead(row[j], row[i]) ? 1 : i - j));
}

/** How many numbers of a row stand before the one at `place` in that order. */
function countAhead(row, place) {
  let count = 0;
  for (let i = 0; i < row.length; i++) {
    if (isAhead(row[i], row[place]) || (i < place && !isAhead(row[place], row[i]))) count++;
  }
  return count;
}

/** The first place where the running total is above the limit; else the last one above 0; else the last. */
export function firstAbove(row, limit) {
  const found = totals(row).findIndex((total) => total > limit);
  if (found >= 0) return found;
  const above = row.findLastIndex((number) => number > 0);
  return above >= 0 ? above : row.length - 1;
}

/** What an op's `explain` writes its lines on. `step` is the step of a run, `source(name)` gives its tensors. */
export class Derivation {
  constructor(source, step, index) {
    this.source = source;
    this.step = step;
    this.index = index;
    this.settings = step.settings;
    this.shape = step.shape;
    this.lines = [];
  }

  has(operand) {
    return this.step.operands[operand] !== undefined;
  }

  /** The shape of an input or weight. */
  sizes(operand) {
    return this.source(this.step.operands[operand]).shape;
  }

  /** Numbers of an input or weight. An entry of the index is a whole number, an array of them, or null for all. */
  of(operand, index) {
    const name = this.step.operands[operand];
    return elements(name, this.source(name), index);
  }

  constant(value, text) {
    return { constant: text, values: f32(value) };
  }

  count(value, text) {
    return { constant: text, values: value };
  }

  /** Writes a line: `do("multiply", "x²", x, x)`. */
  do(operation, name, ...operands) {
    if (this.lines.some((line) => line.name === name)) throw new Error(`two lines are named ${name}`);
    const values = OPERATIONS[operation].compute(...operands.map((operand) => operand.values));
    this.lines.push({ name, operation, operands, values });
    return { line: name, values };
  }
}

/** Numbers of a tensor, as an operand. */
export function elements(name, tensor, index) {
  const whole = index.map((entry, axis) => entry ?? range(tensor.shape[axis]));
  const count = whole.find((entry) => Array.isArray(entry))?.length;
  const at = (i) =>
    tensor.data[
      offset(
        tensor.shape,
        whole.map((entry) => (Array.isArray(entry) ? entry[i] : entry)),
      )
    ];
  const values = count === undefined ? at(0) : tensor.data.constructor.from({ length: count }, (_unused, i) => at(i));
  return { tensor: name, axes: tensor.axes, index: whole, values };
}

/** The explanation of one number of a run, done again and compared: { lines, value, same }. */
export function explain(run, name, index) {
  const step = run.steps.get(name);
  const tensor = run.tensor(name);
  const value = tensor.data[offset(tensor.shape, index)];
  if (step === undefined) return { lines: [], value, same: true };
  const derivation = new Derivation((each) => run.tensor(each), step, index);
  step.op.explain(derivation);
  return { lines: derivation.lines, value, same: sameBits(derivation.lines.at(-1).values, value) };
}
