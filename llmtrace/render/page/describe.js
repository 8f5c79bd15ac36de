// What names and numbers mean, in words: the legend that the model's makers wrote, and the tokens at the places of axes.

import { offset } from "./tensors.js";
import { _, quoted } from "./words.js";

/** The words for the names of one run. `texts` are those of the vocabulary by id. */
export class Descriptions {
  constructor(legend, texts) {
    this.texts = texts;
    this.patterns = new Map(
      Object.entries(legend).map(([pattern, words]) => [shapeOfName(pattern), { pattern, words }]),
    );
  }

  /** The words for a name, and the numbers that its pattern binds. */
  find(name) {
    const found = this.patterns.get(shapeOfName(name));
    if (found === undefined) return null;
    const numbers = {};
    const pieces = name.split(".");
    found.pattern.split(".").forEach((piece, i) => {
      if (piece.startsWith("{")) numbers[piece.slice(1, -1)] = pieces[i];
    });
    return { ...found.words, numbers };
  }

  kind(name) {
    return this.find(name)?.kind ?? "";
  }

  /** The name of the step of this kind in a block; undefined, where there is none. */
  stepOf(run, block, kind) {
    return [...run.steps.keys()].find((name) => name.startsWith(`block.${block}.`) && this.kind(name) === kind);
  }

  /** A tensor in a few words. */
  what(name) {
    const what = this.find(name)?.what;
    return what ? _(what) : "";
  }

  /** The token at a place of an axis, where the axis has tokens. */
  label(run, axis, place) {
    if (run.labels !== undefined && Object.hasOwn(run.labels, axis)) return run.labels[axis][place] ?? null;
    if (axis === "vocabulary") return this.texts[place] ?? null;
    if (!["position", "query", "key"].includes(axis)) return null;
    const ids = run.tensor("tokens")?.data ?? [];
    return place < ids.length ? (this.texts[ids[place]] ?? null) : null;
  }

  /** One sentence about one number. */
  sentence(run, name, index) {
    const found = this.find(name);
    const tensor = run.tensor(name);
    if (found === null || !found.sentence)
      return run.weights(name) ? _("a weight: a number that the model learned in training") : name;
    if (run.weights(name) && !tensor.axes.some((axis) => axis === "neuron" || axis === "output"))
      return _("a weight: a number that the model learned in training");
    const values = { ...found.numbers };
    tensor.axes.forEach((axis, i) => {
      const label = this.label(run, axis, index[i]);
      values[axis] = axis === "position" || label === null ? index[i] : quoted(label);
      if (label !== null && (axis === "position" || axis === "query")) values.token = quoted(label);
    });
    values.place = values.input ?? index.at(-1);
    if (found.sentence.includes("{value}")) values.value = quoted(this.texts[tensor.data[offset(tensor.shape, index)]]);
    return _(found.sentence, values);
  }
}

/** A name or a pattern with * for every number in it. */
const shapeOfName = (name) =>
  name
    .split(".")
    .map((piece) => (/^\d+$/.test(piece) || piece.startsWith("{") ? "*" : piece))
    .join(".");
