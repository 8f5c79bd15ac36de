// What a page holds whose runs are computed elsewhere: one run that is in the page, or runs that `llmtrace serve` computes.

import { App } from "./app.js";
import { choose } from "./models.js";
import { recipeOf } from "./recipe.js";
import { StoredRun } from "./stored.js";
import { _ } from "./words.js";

export class StoredApp extends App {
  /** `source` fetches tensors, and explanations and new runs where it can. */
  constructor(manifest, source) {
    super(manifest);
    this.source = source;
    this.take(manifest.run);
    this.plain = this.run;
  }

  get canRun() {
    return this.manifest.runs === true;
  }

  /** What is needed before the first view. */
  async start() {
    await this.run.tensor("tokens")?.ready();
  }

  take(record) {
    this.run = new StoredRun(record, this.source);
  }

  weight(name) {
    return this.run.weights(name);
  }

  /** Has the sentence run, as it is and with the changes; everything stays as it was where that can't be. */
  async ask(ids, text, changes, choices) {
    const plain = new StoredRun(await this.source.run({ ids, text }), this.source);
    ids ??= plain.record.ids; // of a text whose tokens only the server knows
    const edits = recipeOf({ ...this, manifest: this.manifest, ids, text, changes }).edits;
    const run = edits.length ? new StoredRun(await this.source.run({ ids, text, edits }), this.source) : plain;
    await Promise.all([plain, run].map((each) => each.tensor("tokens").ready()));
    const first = ids.length - choices.length - 1;
    if (choices.length) {
      await run.tensor("logits").ready();
      run.choices.tensors.set("logits", run.tensor("logits"));
    }
    choices.forEach(({ settings }, i) => choose(run.choices, i, first + i, settings));
    Object.assign(this, { plain, run, ids, text, changes, choices });
  }

  async read(ids, text) {
    await this.ask(ids, text, [], []);
    this.position = null;
  }

  change(change) {
    return this.ask(this.ids, this.text, [...this.changes, change], this.choices);
  }

  undo() {
    return this.ask(this.ids, this.text, this.changes.slice(0, -1), this.choices);
  }

  async goOn(settings) {
    const fixed = this.changes.some(({ values }) => values?.length > 1);
    if (fixed || this.ids.length >= this.manifest.config.context) return false;
    await this.run.tensor("logits").ready();
    const { choices } = this.run;
    choices.tensors.set("logits", this.run.tensor("logits"));
    const token = choose(choices, this.choices.length, this.ids.length - 1, settings);
    await this.ask([...this.ids, token], null, this.changes, [...this.choices, { settings, token }]);
    return true;
  }

  async goBack() {
    if (!this.choices.length) return false;
    await this.ask(this.ids.slice(0, -1), null, this.changes, this.choices.slice(0, -1));
    return true;
  }

  differences() {
    const counts = this.run.record.changes ?? {};
    return this.plain.record.steps.map(({ name }) => {
      const { shape } = this.plain.tensor(name);
      const size = shape.reduce((product, length) => product * length, 1);
      return { name, changed: counts[name] ?? 0, same: size - (counts[name] ?? 0) };
    });
  }

  async replay({ llmtrace, version, ids, text, edits }) {
    if (llmtrace !== "recipe" || version !== 1 || !Array.isArray(ids) || !Array.isArray(edits))
      throw new TypeError("llmtrace, version, ids, edits");
    await this.ask(ids, typeof text === "string" ? text : null, edits.map(changeFrom), []);
  }

  names() {
    return [...this.run.tensors.keys(), ...this.run.stored.keys()];
  }
}

/** An edit of a recipe as a change of the page; whether it fits, the server says. */
function changeFrom({ at, token, value, values, shape }) {
  if (token !== undefined) return { position: Number(String(at).split(":")[1]), token };
  const numbers = Float32Array.from(values ?? [value], (each) =>
    Number(String(each).replace("inf", "Infinity").replace("nan", "NaN")),
  );
  return { at: String(at), tensor: String(at).split("[")[0], index: [], values: numbers, shape: shape ?? [] };
}

/** What a page says of the numbers that it holds, and of those that it has left out. */
export function holdings(app) {
  const every = [...app.run.tensors.values(), ...app.run.stored.values()];
  const held = every.filter((each) => each.held);
  if (held.length === every.length) return "";
  return _("This page holds {held} of the {count} tensors of this run and its model; the others were left out.", {
    held: held.length,
    count: every.length,
  });
}

