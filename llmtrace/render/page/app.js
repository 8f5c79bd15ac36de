// What the page holds while it is open: the model, the sentence, its run, and what has been changed in it.

import { checksum } from "./checksum.js";
import { sameBits } from "./arithmetic.js";
import { decoded } from "./data.js";
import { Descriptions } from "./describe.js";
import { choose, runModel } from "./models.js";
import { replay } from "./recipe.js";
import { Edits } from "./run.js";
import { tokenizerFrom } from "./tokenizer.js";

export class App {
  constructor(manifest) {
    this.manifest = manifest;
    this.words = new Descriptions(manifest.legend, manifest.vocabulary);
    this.tokenizer = manifest.tokenizer && tokenizerFrom(manifest.tokenizer);
    this.weights = new Map();
    this.ids = manifest.ids;
    this.text = manifest.text;
    this.changes = []; // { at, tensor, index, values, shape } or { position, token }, in the order they were made
    this.position = null; // the token whose next ones are shown; null for the last
    this.choices = []; // how each new token was chosen: { settings, number }
  }

  /** Decodes the weights and runs the sentence; an Error names a weight that is damaged. */
  async start(textOf) {
    await Promise.all(
      this.manifest.weights.map(async (weight) =>
        this.weights.set(weight.name, await decoded(textOf(weight.name), weight)),
      ),
    );
    this.again();
    this.checksum = checksum(this.plain);
  }

  /** Whether other sentences can be run. */
  get canRun() {
    return true;
  }

  weight(name) {
    return this.weights.get(this.manifest.aliases[name] ?? name);
  }

  /** The model, as `runModel` takes it. */
  get model() {
    const { family, config } = this.manifest;
    return { family, config, weights: (name) => this.weight(name) };
  }

  /** Runs the sentence, as it is and with the changes. */
  again() {
    this.plain = runModel(this.model, this.ids);
    this.runChanged();
  }

  /** Runs the sentence with the changes: as it is, it has been run, unless choices stand in that run. */
  runChanged() {
    if (this.choices.length && this.run === this.plain) return this.again();
    this.run = this.changes.length ? runModel(this.model, this.changedIds(), { edits: this.edits() }) : this.plain;
    this.choices.forEach(({ settings }, i) => choose(this.run, i, this.firstChoice + i, settings));
  }

  /** Runs what has come to the sentence since it was run. */
  further() {
    const [plain, run] = [this.plain, this.run];
    const own = { edits: this.edits(), before: run };
    this.plain = runModel(this.model, this.ids, { before: plain });
    this.run = run === plain ? this.plain : runModel(this.model, this.changedIds(), own);
  }

  changedIds() {
    const ids = [...this.ids];
    for (const { position, token } of this.changes) if (position !== undefined) ids[position] = token;
    return ids;
  }

  edits() {
    return new Edits(this.changes.filter((change) => change.tensor !== undefined));
  }

  /** Another sentence with these changes; those of the old one are forgotten. `plain`: its run as it is. */
  read(ids, text, changes = [], plain = runModel(this.model, ids)) {
    Object.assign(this, { ids, text, changes, plain, choices: [], position: null });
    this.runChanged();
  }

  change(change) {
    this.changes.push(change);
    this.runChanged();
  }

  undo() {
    this.changes.pop();
    this.runChanged();
  }

  /** The token whose row is looked at. */
  get place() {
    const last = this.ids.length - 1;
    return Math.min(this.position ?? last, last);
  }

  tokenText(place, run = this.run) {
    return this.manifest.vocabulary[run.tensor("tokens").data[place]];
  }

  /** The place of the token after which the first new one was chosen. */
  get firstChoice() {
    return this.ids.length - this.choices.length - 1;
  }

  /** Chooses one more token; false where the text, or an array among the changes, can't grow. */
  goOn(settings) {
    const fixed = this.changes.some(({ values }) => values?.length > 1);
    if (fixed || this.ids.length >= this.manifest.config.context) return false;
    const token = choose(this.run, this.choices.length, this.ids.length - 1, settings);
    this.choices.push({ settings, token });
    this.ids = [...this.ids, token];
    this.text = null;
    this.further();
    return true;
  }

  /** Follows a recipe. */
  replay(content) {
    replay(this, content);
  }

  /** Takes the last chosen token back. */
  goBack() {
    if (!this.choices.length) return false;
    this.choices.pop();
    this.ids = this.ids.slice(0, -1);
    this.again();
    return true;
  }

  /** Every tensor with how many of its numbers have other bits than without the changes: [{ name, changed, same }]. */
  differences() {
    return [...this.plain.leaves, ...this.plain.steps.keys()].map((name) => {
      const [before, after] = [this.plain.tensor(name).data, this.run.tensor(name).data];
      let changed = 0;
      for (let i = 0; i < before.length; i++) if (!sameBits(before[i], after[i])) changed++;
      return { name, changed, same: before.length - changed };
    });
  }

  /** The place that is meant by what the reader asks for. */
  placeOf(asked) {
    return asked;
  }

  /** The tensors of the run, in order, and those of the model. */
  names() {
    return [...this.run.tensors.keys(), ...this.weights.keys()];
  }
}
