// What if: the changes so far, how many numbers they have changed, both next-token tables, and a recipe to share.

import { checksum } from "../checksum.js";
import { h, link, table } from "../dom.js";
import { candidatesTable } from "../likeliest.js";
import { counted, exact } from "../numbers.js";
import { recipeOf } from "../recipe.js";
import { _, quoted } from "../words.js";

const OFFERED = 5000; // tokens of which the field offers those that begin as typed

export function whatIfView(app, refresh) {
  const found = app.differences();
  const changed = found.reduce((total, each) => total + each.changed, 0);
  const same = found.reduce((total, each) => total + each.same, 0);
  return [
    h("h1", {}, _("What if?")),
    h("p", {}, _("Change any number where it is explained, switch a head off, or put another token here.")),
    changesList(app, refresh),
    swapForm(app, refresh),
    h(
      "h2",
      {},
      _("{changed} numbers have other bits, {same} have the same", { changed: counted(changed), same: counted(same) }),
    ),
    h(
      "div",
      { class: "beside" },
      candidatesTable(app, app.plain, app.place, 8, _("next token, as it was")),
      candidatesTable(app, app.run, app.place, 8, _("next token now")),
    ),
    differencesTable(found.filter((each) => each.changed)),
    recipeForm(app, refresh),
  ];
}

function changesList(app, refresh) {
  const undo = async () => {
    await app.undo();
    refresh();
  };
  if (!app.changes.length) return h("p", {}, _("Nothing is changed yet."));
  const said = app.changes.map((change) =>
    h("li", {}, change.position === undefined ? changeText(change) : swapText(app, change)),
  );
  return [h("ol", {}, said), h("p", {}, h("button", { onclick: undo }, _("undo the last change")))];
}

const changeText = ({ at, tensor, values }) => [
  link(at.includes(":") ? tensor : at, at),
  ` = ${exact(values[0])}${values.length > 1 ? " …" : ""}`,
];

const swapText = (app, { position, token }) =>
  _("token {position} is now {token}", { position, token: quoted(app.manifest.vocabulary[token]) });

function swapForm(app, refresh) {
  const place = h("input", { type: "number", min: "0", max: String(app.ids.length - 1), value: String(app.place) });
  const token = h("input", { type: "text", list: "tokens", size: "12" });
  const problem = h("span", { class: "wrong", role: "alert" });
  const swap = async (event) => {
    event.preventDefault();
    const id = app.manifest.vocabulary.indexOf(token.value);
    const position = Number(place.value);
    if (id < 0 || !(position >= 0 && position < app.ids.length)) {
      problem.textContent = _("There is no such token.");
      return;
    }
    await app.change({ position, token: id });
    refresh();
  };
  const texts = h(
    "datalist",
    { id: "tokens" },
    app.manifest.vocabulary.slice(0, OFFERED).map((text) => h("option", { value: text })),
  );
  const label = (text, field) => h("label", {}, `${text} `, field, " ");
  return h(
    "form",
    { onsubmit: swap },
    label(_("place"), place),
    label(_("token"), token),
    texts,
    h("button", {}, _("replace")),
    " ",
    problem,
  );
}

function differencesTable(found) {
  if (!found.length) return null;
  const rows = found.map(({ name, changed, same }) => [link(name, name), counted(changed), counted(same)]);
  return table(_("Steps that have changed"), [_("name"), _("other bits"), _("same bits")], rows, [1, 2]);
}

function recipeForm(app, refresh) {
  const area = h(
    "textarea",
    { rows: "6", spellcheck: "false", "aria-label": _("recipe") },
    JSON.stringify(recipeOf(app), null, 1),
  );
  const problem = h("p", { class: "wrong", role: "alert" });
  const run = async (event) => {
    event.preventDefault();
    try {
      await app.replay(JSON.parse(area.value));
      refresh();
    } catch (error) {
      problem.textContent = _("This recipe can't be followed: {why}", { why: error.message });
    }
  };
  return h(
    "form",
    { onsubmit: run },
    h("h2", {}, _("Share")),
    h("p", {}, _("This recipe makes the same changes elsewhere, to the same bits.")),
    app.checksum === undefined ? null : h("p", { id: "sum" }, _("checksum of all its numbers: {sum}", { sum: checksum(app.run) })),
    area,
    h("p", {}, h("button", {}, _("follow the recipe"))),
    problem,
  );
}
