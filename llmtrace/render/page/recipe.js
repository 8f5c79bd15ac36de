// A recipe: a sentence and what was changed in it, as a few hundred bytes of JSON that anybody can follow to the same bits:
// `llmtrace what-if --recipe FILE` writes the same, and `llmtrace trace --recipe FILE` follows it.

import { parseAddress, resolveIndex } from "./address.js";
import { f32 } from "./arithmetic.js";
import { exact } from "./numbers.js";
import { runModel } from "./models.js";
import { sizeOf } from "./tensors.js";

const VERSION = 1;

/** The recipe of what has been changed. */
export function recipeOf(app) {
  const edits = app.changes.map(({ position, token, at, values, shape }) => {
    if (position !== undefined) return { at: `token:${position}`, token };
    const written = Array.from(values, exact);
    return values.length === 1 ? { at, value: written[0] } : { at, values: written, shape };
  });
  return {
    llmtrace: "recipe",
    version: VERSION,
    model: app.manifest.model,
    weights_hash: app.manifest.weights_hash,
    text: app.text,
    ids: [...app.ids],
    edits,
  };
}

/** Follows a recipe; an Error says what is wrong with it, and nothing is changed then. */
export function replay(app, content) {
  const { llmtrace, version, ids, text, edits } = content;
  if (llmtrace !== "recipe" || version !== VERSION || !Array.isArray(ids) || !Array.isArray(edits))
    throw new TypeError("llmtrace, version, ids, edits");
  const { vocabulary, context } = app.manifest.config;
  const known = (id) => Number.isInteger(id) && id >= 0 && id < vocabulary;
  if (!ids.length || ids.length > context || !ids.every(known)) throw new RangeError("ids");
  const plain = runModel(app.model, ids);
  const changes = edits.map((edit) => changeOf(app, plain, edit));
  app.read(ids, typeof text === "string" ? text : null, changes, plain);
}

/** An edit of a recipe as a change of the page. */
function changeOf(app, plain, { at, token, value, values, shape }) {
  const [, part, place] = /^(head|neuron|token):(.*)$/s.exec(at) ?? [];
  if (part === "token") {
    const [position, id] = [Number(place), Number(token)];
    const length = plain.tensor("tokens").data.length;
    if (!(position >= -length && position < length) || !(id in app.manifest.vocabulary)) throw new RangeError(at);
    return { position: position < 0 ? position + length : position, token: id };
  }
  const { name, index } = part === undefined ? placeOfAddress(app, plain, at) : placeOfPart(app, plain, at, part, place);
  const count = sizeOf(plain.tensor(name).shape.filter((_unused, axis) => index[axis] === null));
  const given = values ?? [value];
  if (values !== undefined && values.length !== count) throw new RangeError(at);
  return { at, tensor: name, index, values: Float32Array.from(given, numberFrom), shape: shape ?? [] };
}

function placeOfAddress(app, plain, at) {
  const parsed = parseAddress(at);
  const tensor = plain.tensor(parsed.name);
  if (tensor === undefined || !(tensor.data instanceof Float32Array)) throw new RangeError(at);
  return { name: parsed.name, index: resolveIndex(parsed, tensor, (axis, i) => app.words.label(plain, axis, i)) };
}

/** head:2.1 is what head 1 of block 2 has gathered; neuron:1.17 what neuron 17 of block 1 says. */
function placeOfPart(app, plain, at, part, place) {
  const [, block, number] = /^(\d+)\.(\d+)$/.exec(place) ?? [];
  const name = app.words.stepOf(plain, block, part === "head" ? "mix" : "neurons");
  const tensor = plain.tensor(name);
  const axis = part === "head" ? "head" : "feature";
  if (tensor === undefined || Number(number) >= tensor.shape[tensor.axes.indexOf(axis)]) throw new RangeError(at);
  return { name, index: tensor.axes.map((each) => (each === axis ? Number(number) : null)) };
}

function numberFrom(text) {
  const number = Number(String(text).replace("inf", "Infinity").replace("nan", "NaN"));
  if (Number.isNaN(number) && text !== "nan" && !Number.isNaN(text)) throw new TypeError(String(text));
  return f32(number);
}

/** The change of one number of a tensor, or of all that the index leaves open, to one value. */
export const changeTo = (name, at, index, value) => ({ at, tensor: name, index, values: Float32Array.of(value) });
