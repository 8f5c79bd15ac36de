// One number: every operation that made it, sums term by term with their running total; each number in it is a link.

import { addressOf } from "../address.js";
import { totals } from "../arithmetic.js";
import { OPERATIONS } from "../derivation.js";
import { h, link, table } from "../dom.js";
import { counted, exact, exactOf } from "../numbers.js";
import { offset } from "../tensors.js";
import { changeTo } from "../recipe.js";
import { N_, _, quoted } from "../words.js";
import { madeBy } from "./tensor.js";

const COUNTING = ["argmax", "ahead", "first_above"];
const SUMS = ["sum", "dot", "sum_from", "dot_from", "first_above"];
const DOTS = ["dot", "dot_from"];
const SHOWN = 64; // terms of a sum, before somebody asks for all
const ON_PAPER = 1000; // terms of a sum that is printed whole

export function numberView(app, name, index, refresh) {
  const tensor = app.run.tensor(name);
  const { lines, value, same, why } = app.run.explain(name, index);
  return [
    h("h1", {}, addressOf(name, tensor.axes, index)),
    h(
      "p",
      { class: "value" },
      `${exactOf(tensor.data, value)} `,
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
  const said = { value: exactOf(before.data, was) };
  const text = same ? _("changed: it was {value}", said) : _("set by you: it was {value}", said);
  return h("p", { class: "changed" }, text);
}

/** One line: `name = a × b = value`; a row of such lines as a table. */
function lineView(app, line) {
  const title = h("h2", {}, line.name === "out" ? _("the result") : _(line.name));
  if (SUMS.includes(line.operation)) return [title, sumView(app, line)];
  if (line.values.length !== undefined) return [title, rowView(app, line)];
  return [title, h("p", { class: "line" }, written(app, line), " = ", h("strong", {}, resultOf(line)))];
}

/** The number that a line makes: a place or a count is a whole one. */
const resultOf = ({ operation, values }) => (COUNTING.includes(operation) ? String(values) : exact(values));

/** How an operation is written; one that only Python knows, by its name. */
const symbolOf = (operation) => OPERATIONS[operation]?.symbol ?? operation;

function written(app, { operation, operands }) {
  const symbol = symbolOf(operation);
  const parts = operands.map((operand, i) => inBrackets(i > 0 && operand.values < 0, operandView(app, operand)));
  if (operation === "masked") return _("a later token, which is not looked at");
  if (operation === "absolute") return ["|", parts[0], "|"];
  if (operation === "above") return choice(operands[0], parts);
  if (Object.hasOwn(OF_MANY, operation)) return ofMany(app, OF_MANY[operation], operands[0]);
  if (operation === "keep") {
    const [measure, limit] = operands.slice(1).map((operand) => exact(operand.values));
    return [parts[0], " ", _("is kept if {measure} < {limit}, and else becomes −∞", { measure, limit })];
  }
  if (parts.length === 1) return applied(symbol, parts[0]);
  return parts.flatMap((part, i) => [i ? ` ${symbol || ","} ` : "", part]);
}

const OF_MANY = {
  maximum: N_("the largest of {count} numbers"),
  argmax: N_("the place of the largest of {count} numbers"),
  ahead: N_("how many of {count} numbers come before it, from the largest on"),
};

/** A choice among many numbers; a link to them, where they are those of a tensor. */
function ofMany(app, text, { values, tensor, index }) {
  const said = _(text, { count: counted(values.length) });
  if (tensor === undefined) return said;
  const open = index.map((entry) => (Array.isArray(entry) ? null : entry));
  return link(addressOf(tensor, app.run.tensor(tensor).axes, open), said);
}

/** A function of one number: exp(x), max(0, x), √ x. */
function applied(symbol, shown) {
  const [before, after] = symbol.split("x)");
  if (after !== undefined) return [before, shown, ")"];
  return /^\p{L}+$/u.test(symbol) ? [`${symbol}(`, shown, ")"] : [symbol ? `${symbol} ` : "", shown];
}

/** A number below 0 behind a sign stands in brackets. */
const inBrackets = (needed, shown) => (needed ? ["(", shown, ")"] : shown);

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
    operand.constant === text ? null : h("small", {}, ` (${_(operand.constant ?? operand.line)})`),
  );
}

/** Along which axis of its tensor an operand has one number for each term. */
const axisOfTerms = ({ index }) => index.findLastIndex((entry) => Array.isArray(entry));

/** What is counted in the first column: the axis of the terms, where they are numbers of a tensor. */
function termHeading(app, operands) {
  const operand = operands.find((each) => each.tensor !== undefined);
  return operand === undefined ? "" : _(app.run.tensor(operand.tensor).axes[axisOfTerms(operand)]);
}

/** The place of a term in words: the token or the number along the axis that the sum goes through. */
function termLabel(app, operands, i) {
  const operand = operands.find((each) => each.tensor !== undefined);
  if (operand === undefined) return String(i);
  const place = operand.index[axisOfTerms(operand)][i];
  const axisName = app.run.tensor(operand.tensor).axes[axisOfTerms(operand)];
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
  const start = begins ? h("p", {}, _("the sum goes on from"), " ", operandView(app, line.operands.at(-1))) : null;
  const headings = [termHeading(app, line.operands), ...names, ...(products ? [_("product")] : []), _("running total")];
  const what =
    line.operation === "first_above"
      ? _("the first place where the running total is above {limit}", { limit: exact(line.operands[1].values) })
      : `Σ ${names.join(" × ")}`;
  const end = h("p", { class: "line" }, `${what} = `, h("strong", {}, resultOf(line)));
  const caption =
    products
      ? _("The sum, term by term: two numbers are multiplied, and the product is added to the total so far")
      : _("The sum, term by term");
  return [start, longTable(caption, headings, terms.length, row), end];
}

function rowView(app, line) {
  const row = (i) => [
    termLabel(app, line.operands, i),
    ...line.operands.map((operand) =>
      operand.tensor !== undefined ? operandView(app, operand, i) : exact(operand.values[i] ?? operand.values),
    ),
    exact(line.values[i]),
  ];
  const symbol = symbolOf(line.operation);
  const names = line.operands.map(operandName);
  const signed = names.length === 1 ? [applied(symbol, names[0]).join("")] : names.map(signedBy(symbol));
  const headings = [termHeading(app, line.operands), ...signed, `= ${_(line.name)}`];
  return longTable(_("Done for each number of a row"), headings, line.values.length, row);
}

/** The heading of an operand: behind the first, with the sign of the operation, where it has one. */
const signedBy = (symbol) => (name, i) => (i > 0 && /^[^\p{L}]$/u.test(symbol) ? `${symbol} ${name}` : name);

/** A table of many rows: the first ones, and all when asked for, or on paper. */
function longTable(caption, headings, count, row) {
  const numeric = headings.map((_unused, i) => i).slice(1);
  const made = (shown) =>
    table(
      caption,
      headings,
      Array.from({ length: shown }, (_unused, i) => row(i)),
      numeric,
    );
  const box = h("div", { class: "terms" }, made(Math.min(count, SHOWN)));
  if (count <= SHOWN) return box;
  const all = h("button", { onclick: () => box.replaceChildren(made(count)) }, _("show all {count} terms", { count }));
  if (count <= ON_PAPER) addEventListener("beforeprint", () => all.click(), { once: true });
  box.append(h("p", {}, _("the first {shown} of {count} terms", { shown: SHOWN, count }), " ", all));
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
