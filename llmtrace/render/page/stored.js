// A run that was computed elsewhere. Its numbers are packed in the page or come from the server that `llmtrace serve` is;
// each tensor is fetched when a view first looks at it.

import { AddressError, addressOf } from "./address.js";
import { f32, sameBits } from "./arithmetic.js";
import { explain, OPERATIONS } from "./derivation.js";
import { OPS } from "./ops.js";
import { Run } from "./run.js";
import { offset } from "./tensors.js";
import { _, learn } from "./words.js";

/** What a view needs and is not there yet: `load()` fetches it; then the view is made again. */
export class Needed extends Error {
  constructor(name, load) {
    super(name);
    this.load = load;
  }
}

/** What a page does not hold. */
export class LeftOutError extends AddressError {
  constructor(name) {
    super(_("the numbers of {name} are not in this page", { name }));
  }
}

class StoredTensor {
  constructor(name, { shape, axes, held }, fetch) {
    Object.assign(this, { name, shape, axes, held, fetch, numbers: null });
  }

  get data() {
    if (this.numbers !== null) return this.numbers;
    if (!this.held) throw new LeftOutError(this.name);
    throw new Needed(this.name, () => this.ready());
  }

  /** Fetches the numbers, unless they are there. */
  async ready() {
    if (this.held) this.numbers ??= await this.fetch();
  }
}

/** The steps and tensors of a run, as `record` lists them. `source` fetches numbers, and explanations where it has them. */
export class StoredRun {
  constructor(record, source) {
    this.record = record;
    this.source = source;
    this.tensors = new Map();
    this.stored = new Map();
    this.explanations = new Map();
    this.leaves = record.leaves;
    this.labels = record.labels;
    this.training = record.training;
    this.past = record.past;
    this.choices = new Run(() => undefined); // how next tokens were chosen, which is done here
    for (const each of record.tensors) {
      const tensor = new StoredTensor(each.name, each, () => source.tensor(record, each));
      (each.weight ? this.stored : this.tensors).set(each.name, tensor);
    }
    this.ownSteps = new Map(record.steps.map((step) => [step.name, this.stepFrom(step)]));
  }

  stepFrom(step) {
    const { shape, axes } = this.tensors.get(step.name);
    return { ...step, op: OPS[step.op] ?? { name: step.op, ...this.record.ops[step.op] }, shape, axes };
  }

  get steps() {
    return this.choices.steps.size ? new Map([...this.ownSteps, ...this.choices.steps]) : this.ownSteps;
  }

  tensor(name) {
    return this.tensors.get(name) ?? this.stored.get(name) ?? this.choices.tensors.get(name);
  }

  weights(name) {
    return this.stored.get(name);
  }

  /** The explanation of one number: from where the run was computed, or done here from the numbers that are held. */
  explain(name, index) {
    if (this.choices.tensors.has(name) && !this.tensors.has(name)) return explain(this, name, index);
    const address = addressOf(name, this.tensor(name).axes, index);
    if (this.explanations.has(address)) return this.explanations.get(address) ?? this.ownExplanation(name, index);
    if (this.source.explanation !== undefined) {
      throw new Needed(address, async () => {
        const found = await this.source.explanation(this.record, address);
        this.explanations.set(address, found && revived(found));
      });
    }
    return this.ownExplanation(name, index);
  }

  ownExplanation(name, index) {
    const step = this.steps.get(name);
    if (step === undefined || (step.op.explain !== undefined && !step.edited)) {
      try {
        return explain(this, name, index);
      } catch (error) {
        if (!(error instanceof LeftOutError)) throw error;
        const { data, shape } = this.tensor(name);
        return { lines: [], value: data[offset(shape, index)], same: false, why: error.message };
      }
    }
    const { data, shape } = this.tensor(name);
    const why = _("How it was made is not in this page.");
    return { lines: [], value: data[offset(shape, index)], same: false, why };
  }
}

/** An explanation that came as JSON; `same` says whether doing its lines again gives the same bits. */
function revived({ value, lines, words }) {
  learn(words);
  const made = new Map();
  const found = lines.map(({ name, operation, operands, values }) => {
    const given = operands.map((operand) =>
      "line" in operand
        ? { line: operand.line, values: made.get(operand.line) }
        : { ...operand, values: numbersOf(operand.values) },
    );
    made.set(name, numbersOf(values));
    return { name, operation, operands: given, values: made.get(name) };
  });
  const last = found.at(-1);
  const same = found.every(isSame) && (last === undefined || sameBits(last.values, numbersOf(value)));
  return { lines: found, value: numbersOf(value), same };
}

/** Whether an operation that is known here gives the same bits again. */
function isSame({ operation, operands, values }) {
  const compute = OPERATIONS[operation]?.compute;
  if (compute === undefined) return false;
  const again = compute(...operands.map((operand) => operand.values));
  if (values.length === undefined) return sameBits(again, values);
  return Array.from(values, (each, i) => sameBits(again[i] ?? again, each)).every(Boolean);
}

const WORDS = { nan: NaN, inf: Infinity, "-inf": -Infinity };

/** A number or a row of numbers from JSON, where those that are not finite are words. */
function numbersOf(values) {
  if (Array.isArray(values)) return Float32Array.from(values, (each) => f32(WORDS[each] ?? each));
  return Number.isInteger(values) ? values : f32(WORDS[values] ?? values);
}
