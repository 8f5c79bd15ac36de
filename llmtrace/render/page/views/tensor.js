// One tensor: what it is, which step made it, its numbers as a grid, or as a table.

import { addressOf } from "../address.js";
import { h, link, offer, table } from "../dom.js";
import { counted, exactOf } from "../numbers.js";
import { indexOf, offset } from "../tensors.js";
import { _, quoted } from "../words.js";
import { gridView } from "./grid.js";

const MOST_ROWS = 200;

export function tensorView(app, name, given, refresh) {
  const tensor = app.run.tensor(name);
  const open = given.filter((entry) => entry === null).length;
  let surplus = open - 2; // leading axes beyond rows and columns stand at their first place
  const index = given.map((entry) => (entry === null && surplus-- > 0 ? 0 : entry));
  const toTable = h("button", { onclick: () => toTable.replaceWith(numbersTable(app, name, index)) }, _("as a table"));
  const toFile = h(
    "button",
    { onclick: () => offer(`${name}.csv`, "text/csv", commaSeparated(tensor)) },
    _("as a CSV file"),
  );
  return [
    h("h1", {}, name),
    h("p", {}, app.words.what(app.run, name)),
    h("p", { class: "quiet" }, sizeText(app, tensor)),
    madeBy(app, name),
    chooseLeading(name, tensor, index),
    gridView(app, name, index, refresh),
    h(
      "p",
      { class: "quiet" },
      _("Orange: above 0; blue: below 0; the stronger, the further from 0. A square in the corner: changed."),
    ),
    h("p", {}, toTable, " ", toFile),
  ];
}

/** How large a tensor is: 3 heads × 6 queries × 6 keys. */
export function sizeText(app, { shape, axes }) {
  const said = shape.map((n, i) => {
    const [one, many] = app.manifest.sizes[axes[i]] ?? [];
    return many === undefined ? `${counted(n)} ${_(axes[i])}` : _(n === 1 ? one : many, { n: counted(n) });
  });
  return said.join(" × ") || _("one number");
}

/** The step that made a tensor, with its inputs and weights. */
export function madeBy(app, name) {
  const step = app.run.steps.get(name);
  if (step === undefined) return null;
  const operands = Object.values(step.operands).flatMap((operand, i) => [i ? ", " : "", link(operand, operand)]);
  const { formula, how } = app.manifest.ops[step.op.name];
  const sentence = how
    ? _(how, { a: step.operands[step.op.inputs[0]], b: step.operands[step.op.inputs[1]] ?? "", n: counts(app, step) })
    : "";
  return h(
    "p",
    {},
    `${name} = ${step.op.name}(`,
    operands,
    "): ",
    h("span", { class: "formula" }, formulaOf(step, _(formula))),
    sentence ? ` — ${sentence}` : "",
  );
}

/** A formula; without its bias, where there is none. */
function formulaOf(step, formula) {
  const unbiased = step.op.weights.includes("bias") && step.operands.bias === undefined;
  return unbiased ? formula.replace(` + ${_("bias")}`, "") : formula;
}

/** How many numbers the sentence of an op speaks of: those of a row of its first input. */
function counts(app, step) {
  const input = app.run.tensor(step.operands[step.op.inputs[0]]);
  return step.op.name === "linear_from_heads" ? input.shape.at(-3) * input.shape.at(-1) : input.shape.at(-1);
}

/** Links to the other places of the axes that are neither rows nor columns. */
function chooseLeading(name, tensor, index) {
  const lines = index.flatMap((entry, axis) => {
    if (entry === null || tensor.shape[axis] > 64) return [];
    const places = Array.from({ length: tensor.shape[axis] }, (_unused, i) => {
      return i === entry ? h("strong", {}, String(i)) : link(addressOf(name, tensor.axes, index.with(axis, i)), String(i));
    });
    return [
      h(
        "p",
        {},
        `${_(tensor.axes[axis])}: `,
        places.flatMap((place) => [place, " "]),
      ),
    ];
  });
  return lines;
}

function numbersTable(app, name, index) {
  const tensor = app.run.tensor(name);
  const rows = [];
  for (let at = 0; at < tensor.data.length && rows.length < MOST_ROWS; at++) {
    const place = indexOf(tensor.shape, at);
    if (index.some((entry, axis) => entry !== null && entry !== place[axis])) continue;
    const labels = place.map((entry, axis) => {
      const label = app.words.label(app.run, tensor.axes[axis], entry);
      return label === null ? String(entry) : `${entry} ${quoted(label)}`;
    });
    const address = addressOf(name, tensor.axes, place);
    rows.push([...labels, link(address, exactOf(tensor.data, tensor.data[offset(tensor.shape, place)]))]);
  }
  return table(
    _("The first {count} numbers", { count: rows.length }),
    [...tensor.axes.map((axis) => _(axis)), _("number")],
    rows,
    [tensor.axes.length],
  );
}

function commaSeparated(tensor) {
  const lines = [`${[...tensor.axes, "value"].join(",")}`];
  tensor.data.forEach((value, at) => lines.push([...indexOf(tensor.shape, at), exactOf(tensor.data, value)].join(",")));
  return `${lines.join("\n")}\n`;
}
