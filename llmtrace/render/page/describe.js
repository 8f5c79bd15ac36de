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
  what(run, name) {
    const training = run.training?.[name];
    if (training !== undefined) return _(training.what, training);
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
    if (run.weights(name)) return this.ofWeight(run, name, index);
    const training = run.training?.[name];
    const text = training === undefined ? this.ofForward(run, name, index) : this.ofTraining(run, name, index, training);
    const where = inText(run, name, index);
    return where ? _("{text} ({where})", { text, where }) : text;
  }

  /** Of a weight that the legend knows: it may be typed in, and not learned. */
  ofWeight(run, name, index) {
    const said = run.tensor(name).axes.some((axis) => axis === "neuron" || axis === "output");
    const learned = _("a weight: a number that the model learned in training");
    return (said && this.filled(run, name, index, this.find(name)?.sentence)) || learned;
  }

  /** Of a number of the forward. */
  ofForward(run, name, index) {
    return this.filled(run, name, index, this.find(name)?.sentence) ?? name;
  }

  /** Of one that a training step computes. */
  ofTraining(run, name, index, training) {
    if (!training.sentence) return name;
    const values = { ...training };
    if (training.sentence.includes("{what}"))
      values.what = run.weights(training.base) ? _("this weight") : this.sentence(run, training.base, index);
    const text = this.filled(run, name, index, training.sentence, values);
    if (text === null) return _("a number on the way to the gradients of all that {base} is made of", training); // it has other axes
    const target = training.scores ? this.target(run, run.tensor(name), index) : null;
    return text + (target === null ? "" : _(" (really follows: {target})", { target }));
  }

  /** A sentence with the places that it speaks of; null where there is none, or where a tensor of that name has other axes. */
  filled(run, name, index, sentence, values = this.find(name)?.numbers) {
    if (!sentence) return null;
    const known = { ...values, ...this.placesOf(run, run.tensor(name), index) };
    if (sentence.includes("{value}")) {
      const { data, shape } = run.tensor(name);
      known.value = quoted(this.texts[data[offset(shape, index)]]);
    }
    return namesIn(sentence).every((word) => Object.hasOwn(known, word)) ? _(sentence, known) : null;
  }

  /** The token that really follows where a number of scores is; null where none is told. */
  target(run, { axes }, index) {
    const targets = run.leaves.includes("targets") ? run.tensor("targets") : undefined;
    if (!targets?.axes.every((axis, i) => axis === axes[i])) return null;
    return quoted(this.texts[targets.data[offset(targets.shape, index.slice(0, targets.axes.length))]]);
  }

  /** What sentences call the places of a tensor: an index or a token for every axis, and the token that a number belongs to. */
  placesOf(run, { axes }, index) {
    const values = {};
    axes.forEach((axis, i) => {
      const label = this.label(run, axis, index[i]);
      values[axis] = axis === "position" ? (run.past ?? 0) + index[i] : label === null ? index[i] : quoted(label);
      if (axis === "position" || axis === "query")
        values.token = label === null ? _("token {place}", { place: index[i] }) : quoted(label);
    });
    values.place = values.input ?? index.at(-1) ?? 0;
    return values;
  }
}

/** Where in the text a place is that counts only what was read after a cache; keys count the whole text. */
function inText(run, name, index) {
  const past = run.past ?? 0;
  if (!past) return "";
  const { axes } = run.tensor(name);
  const at = axes.includes("query") ? axes.indexOf("query") : axes.indexOf("position");
  if (at < 0) return "";
  const said = { axis: axes[at], place: index[at], token: past + index[at], past };
  return _("{axis} {place} is place {token} of the text: {past} tokens were read before", said);
}

const namesIn = (text) => [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name);

/** A name or a pattern with * for every number in it. */
const shapeOfName = (name) =>
  name
    .split(".")
    .map((piece) => (/^\d+$/.test(piece) || piece.startsWith("{") ? "*" : piece))
    .join(".");
