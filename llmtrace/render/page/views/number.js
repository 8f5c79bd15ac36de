// One number: every operation that made it, sums term by term with their running total; each number in it is a link.

import { addressOf } from "../address.js";
import { totals } from "../arithmetic.js";
import { OPERATIONS } from "../derivation.js";
import { h, link, table } from "../dom.js";
import { exact } from "../numbers.js";
import { offset } from "../tensors.js";
import { changeTo } from "../recipe.js";
import { _, quoted } from "../words.js";
import { madeBy } from "./tensor.js";

const SUMS = ["sum", "dot", "sum_from", "dot_from", "first_above"];
const DOTS = ["dot", "dot_from"];
const SHOWN = 64; // terms of a sum, before somebody asks for all

export function numberView(app, name, index, refresh) {
  const tensor = app.run.tensor(name);
  const { lines, value, same, why } = app.run.explain(name, index);
  return [
    h("h1", {}, addressOf(name, tensor.axes, index)),
    h(
      "p",
      { class: "value" },
      `${exact(value)} `,
      same && lines.length ? h("span", { class: "mark" }, _("✓ same bits")) : null,
    ),
    h("p", {}, app.words.sentence(app.run, name, index)),
    beforeChange(app, name, index, value, same),
    madeBy(app, name),
    why ? h("p", { class: "quiet" }, why) : null,
    lines.map((line) => lineView(app, line)),
    lines.length ? null : h("p", {}, link(name, _("all numbers of {name}", { name }))),
    changeForm(app, name, tensor, index, value, refresh),
  ];
}

/** What the number was before something was changed. */
function beforeChange(app, name, index, value, same) {
  if (!app.changes.length) return null;
  const before = app.plain.tensor(name);
  if (before === undefined || before.data.length !== app.run.tensor(name).data.length) return null;
  const was = before.data[offset(before.shape, index)];
  if (Object.is(was, value)) return h("p", {}, _("Your changes leave this number as it was."));
  const said = same
    ? _("changed: it was {value}", { value: exact(was) })
    : _("set by you: it was {value}", { value: exact(was) });
  return h("p", { class: "changed" }, said);
}

/** One line: `name = a × b = value`; a row of such lines as a table. */
function lineView(app, line) {
  const title = h("h2", {}, line.name === "out" ? _("the result") : _(line.name));
  if (SUMS.includes(line.operation)) return [title, sumView(app, line)];
  if (line.values.length !== undefined) return [title, rowView(app, line)];
  return [title, h("p", { class: "line" }, written(app, line), " = ", h("strong", {}, exact(line.values)))];
}

/** How an operation is written; one that only Python knows, by its name. */
const symbolOf = (operation) => OPERATIONS[operation]?.symbol ?? operation;

function written(app, { operation, operands }) {
  const symbol = symbolOf(operation);
  const parts = operands.map((operand) => operandView(app, operand));
  if (operation === "masked") return _("a later token, which is not looked at");
  if (operation === "absolute") return ["|", parts[0], "|"];
  if (operation === "above") return choice(operands[0], parts);
  if (operation === "maximum" || operation === "argmax")
    return _("the largest of {count} numbers", { count: operands[0].values.length });
  if (parts.length === 1) return [symbol ? `${symbol} ` : "", parts[0]];
  return parts.flatMap((part, i) => [i ? ` ${symbol || ","} ` : "", part]);
}

/** The words of a choice between two numbers, with the operands at their places. */
function choice(first, [x, limit, then, otherwise]) {
  const text =
    first.constant === undefined
      ? _("({then} if {x} > {limit}, else {otherwise})")
      : _("({then} if {limit} < {x}, else {otherwise})"); // `weight < 0` rather than `0 > weight`
  const named = { x, limit, then, otherwise };
  return text.split(/\{(\w+)\}/).map((piece, i) => (i % 2 ? named[piece] : piece));
}

/** An operand: its number, with where it comes from. */
function operandView(app, operand, i = null) {
  const value = operand.values.length === undefined ? operand.values : operand.values[i ?? 0];
  const text =
    operand.values.length === undefined || i !== null
      ? exact(value)
      : _("{count} numbers", { count: operand.values.length });
  if (operand.tensor !== undefined) {
    const index = operand.index.map((entry) => (Array.isArray(entry) ? (i === null ? null : entry[i]) : entry));
    return link(addressOf(operand.tensor, app.run.tensor(operand.tensor).axes, index), text);
  }
  return h(
    "span",
    { title: _(operand.constant ?? operand.line) },
    text,
    h("small", {}, ` (${_(operand.constant ?? operand.line)})`),
  );
}

/** The place of a term in words: the token or the number along the axis that the sum goes through. */
function termLabel(app, operands, i) {
  const operand = operands.find((each) => each.tensor !== undefined);
  if (operand === undefined) return String(i);
  const axis = operand.index.findLastIndex((entry) => Array.isArray(entry));
  const place = operand.index[axis][i];
  const axisName = app.run.tensor(operand.tensor).axes[axis];
  const label = app.words.label(app.run, axisName, place);
  return label === null || label === undefined ? String(place) : `${place} ${quoted(label)}`;
}

/** What stands above the column of an operand. */
const operandName = ({ tensor, line, constant }) => tensor ?? _(line ?? constant);

function sumView(app, line) {
  const [products, begins] = [DOTS.includes(line.operation), line.operation.endsWith("_from")];
  const terms =
    products
      ? line.operands[0].values.map((a, i) => Math.fround(a * line.operands[1].values[i]))
      : line.operands[0].values;
  const running = totals(terms, begins ? line.operands.at(-1).values : 0);
  const factors = line.operands.slice(0, products ? 2 : 1);
  const row = (i) => [
    termLabel(app, line.operands, i),
    ...factors.map((factor) => (factor.tensor === undefined ? exact(factor.values[i]) : operandView(app, factor, i))),
    ...(products ? [exact(terms[i])] : []),
    exact(running[i]),
  ];
  const names = factors.map(operandName);
  const headings = ["", ...names, ...(products ? [_("product")] : []), _("running total")];
  const start = begins ? h("p", {}, _("the sum goes on from"), " ", operandView(app, line.operands.at(-1))) : null;
  const end = h("p", { class: "line" }, `${symbolOf(line.operation)} = `, h("strong", {}, exact(line.values)));
  return [start, longTable(_("The sum, term by term"), headings, terms.length, row), end];
}

function rowView(app, line) {
  const row = (i) => [
    termLabel(app, line.operands, i),
    ...line.operands.map((operand) =>
      operand.tensor !== undefined ? operandView(app, operand, i) : exact(operand.values[i] ?? operand.values),
    ),
    exact(line.values[i]),
  ];
  const headings = ["", ...line.operands.map(operandName), symbolOf(line.operation)];
  return longTable(_("Done for each number of a row"), headings, line.values.length, row);
}

/** A table of many rows: the first ones, and all when asked for. */
function longTable(caption, headings, count, row) {
  const numeric = headings.map((_unused, i) => i).slice(1);
  const made = (shown) =>
    table(
      caption,
      headings,
      Array.from({ length: shown }, (_unused, i) => row(i)),
      numeric,
    );
  if (count <= SHOWN) return made(count);
  const box = h("div", {}, made(SHOWN));
  const all = h("button", { onclick: () => box.replaceChildren(made(count)) }, _("show all {count} terms", { count }));
  box.append(all);
  return box;
}

/** A field in which the number can be changed. */
function changeForm(app, name, tensor, index, value, refresh) {
  if (!app.canRun || name.startsWith("choice.") || ["tokens", "positions", "next_token"].includes(name)) return null;
  const field = h("input", {
    type: "text",
    inputmode: "decimal",
    value: exact(value),
    "aria-label": _("another value"),
  });
  const change = async (event) => {
    event.preventDefault();
    const number = Number(field.value.replace("−", "-").replace("inf", "Infinity"));
    if (field.value.trim() === "" || (Number.isNaN(number) && field.value.trim() !== "nan")) {
      field.setAttribute("aria-invalid", "true");
      return;
    }
    await app.change(changeTo(name, addressOf(name, tensor.axes, index), index, number));
    refresh();
  };
  return h(
    "form",
    { onsubmit: change },
    h("label", {}, _("What if it were"), " ", field),
    " ",
    h("button", {}, _("change")),
  );
}
