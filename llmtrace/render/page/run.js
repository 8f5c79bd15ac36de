// A run does ops one after the other and keeps every result under its name; so it can explain each, and do them again.

import { explain } from "./derivation.js";
import { moreOf } from "./growing.js";
import { OPS } from "./ops.js";
import { offset, sizeOf } from "./tensors.js";

/** The ops done, in order. `weights(name)` gives a weight or undefined; `edits` are changes made on the way (`Edits`).
 *
 * `before`: a run on the first tokens of the same text; of each step only the new rows are computed, behind its ones.
 */
export class Run {
  constructor(weights, edits = NO_EDITS, before = null) {
    this.weights = weights;
    this.edits = edits;
    this.before = before;
    this.tensors = new Map();
    this.steps = new Map();
    this.leaves = [];
    this.used = new Map(); // weights with the edits in them
  }

  /** The tensor of a name: of a step, a leaf or a weight. */
  tensor(name) {
    return this.tensors.get(name) ?? this.weight(name);
  }

  /** A weight, with the edits in it; undefined where the model has none of this name. */
  weight(name) {
    if (!this.used.has(name)) {
      const found = this.weights(name);
      this.used.set(name, found && { ...this.edits.applied(found.name, found), name: found.name });
    }
    return this.used.get(name);
  }

  /** A tensor that no op makes: what the run starts from. */
  leaf(name, data, axes, shape = [data.length]) {
    const tensor = { ...this.edits.applied(name, { data, shape, axes }), axes, name };
    this.tensors.set(name, tensor);
    this.leaves.push(name);
    return tensor;
  }

  /** The explanation of one number, done again and compared: { lines, value, same }. */
  explain(name, index) {
    return explain(this, name, index);
  }

  /** The model has run: the choices of tokens are taken over from the run before, and what follows is done in full. */
  grown() {
    for (const [name, step] of this.before?.steps ?? []) {
      if (this.steps.has(name)) continue;
      this.steps.set(name, step);
      for (const each of [name, ...Object.values(step.operands)]) {
        if (this.tensor(each) === undefined) this.tensors.set(each, this.before.tensor(each));
      }
    }
    this.before = null;
  }

  /** Does an op with the weights that are named like the step, or else like `owner`:
   *  `run.do("ln_f", "layer_norm", [x], { epsilon: 1e-5 })`. */
  do(name, opName, inputs, settings = {}, owner = name) {
    const op = OPS[opName];
    const operands = {};
    const given = {};
    op.inputs.forEach((kind, i) => {
      given[kind] = inputs[i];
      operands[kind] = inputs[i].name;
    });
    for (const kind of op.weights) {
      const weight = this.weight(`${owner}.${kind}`);
      if (weight === undefined) continue;
      given[kind] = weight;
      operands[kind] = weight.name;
    }
    const axes = op.axes(given);
    const made = this.before
      ? moreOf(op, given, settings, { ...this.before.tensor(name), axes })
      : op.forward(given, settings);
    const tensor = { ...this.edits.applied(name, { ...made, axes }), axes, name };
    this.tensors.set(name, tensor);
    this.steps.set(name, { name, op, operands, settings, axes, shape: tensor.shape, edited: this.edits.touches(name) });
    return tensor;
  }
}

/** Changes of numbers: for each tensor, which places get which value, or values in the order of the places. */
export class Edits {
  constructor(list = []) {
    this.byTensor = new Map();
    for (const { tensor, index, values } of list) {
      if (!this.byTensor.has(tensor)) this.byTensor.set(tensor, []);
      this.byTensor.get(tensor).push({ index, values });
    }
  }

  touches(name) {
    return this.byTensor.has(name);
  }

  /** A tensor with its changes; the very same one where there are none. An entry of an index may be null: all places. */
  applied(name, tensor) {
    const changes = this.byTensor.get(name);
    if (changes === undefined) return tensor;
    const data = tensor.data.slice();
    for (const { index, values } of changes) {
      let next = 0;
      for (const place of placesOf(tensor.shape, index)) data[place] = values.length > 1 ? values[next++] : values[0];
    }
    return { ...tensor, data };
  }
}

const NO_EDITS = new Edits();

/** Where the numbers stand that an index means. */
function* placesOf(shape, index) {
  const open = index.findIndex((entry) => entry === null);
  if (open < 0) {
    const place = offset(shape, index);
    if (place < sizeOf(shape)) yield place;
    return;
  }
  for (let i = 0; i < shape[open]; i++) yield* placesOf(shape, index.with(open, i));
}
