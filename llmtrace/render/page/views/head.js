// One head: who looks at whom, and what this token asks, finds and gathers.

import { addressOf } from "../address.js";
import { bar, h, link, table } from "../dom.js";
import { percent, rounded } from "../numbers.js";
import { rowOf } from "../likeliest.js";
import { changeTo } from "../recipe.js";
import { _, quoted } from "../words.js";
import { gridView } from "./grid.js";

const PARTS = ["q", "q.rotated", "k", "k.rotated", "k.shared", "v", "v.shared", "scores", "scores.scaled", "pattern", "mix"];

export function headView(app, name, head, refresh) {
  const [, n] = name.split(".");
  const whole = `block.${n}.attn`;
  const off = app.changes.some((change) => change.at === `head:${n}.${head}`);
  const switchOff = async () => {
    await app.change(changeTo(`${whole}.mix`, `head:${n}.${head}`, [head, null, null], 0));
    refresh();
  };
  return [
    h("h1", {}, _("Block {n}, head {head}", { n, head })),
    h(
      "p",
      {},
      _(
        "How much each token (row) looks at itself and at the tokens before it (columns): the shares of a row add up to 1.",
      ),
    ),
    gridView(app, name, [head, null, null], refresh),
    h(
      "h2",
      {},
      _("What {token} at place {place} looks at", { token: quoted(app.tokenText(app.place)), place: app.place }),
    ),
    sharesTable(app, n, head),
    h("h2", {}, _("Its tensors")),
    h(
      "ul",
      {},
      PARTS.map((part) => `${whole}.${part}`)
        .filter((step) => app.run.tensor(step) !== undefined)
        .map((step) => h("li", {}, link(addressOf(step, ["head"], [ownHead(app.run, whole, step, head)]), step), " ", app.words.what(app.run, step))),
    ),
    off ? h("p", {}, _("This head is switched off.")) : null,
    off || !app.canRun ? null : h("p", {}, h("button", { onclick: switchOff }, _("Switch this head off"))),
  ];
}

/** Which head of a step belongs to a head of queries: keys and values may be shared by several. */
function ownHead(run, whole, step, head) {
  return Math.floor((head * run.tensor(step).shape[0]) / run.tensor(`${whole}.q`).shape[0]);
}

function sharesTable(app, n, head) {
  const [scores, pattern] = ["scores", "pattern"].map((part) => app.run.tensor(`block.${n}.attn.${part}`));
  const row = head * scores.shape[1] + app.place;
  const [fits, shares] = [rowOf(scores, row), rowOf(pattern, row)];
  const address = (part, key) => addressOf(`block.${n}.attn.${part}`, scores.axes, [head, app.place, key]);
  const rows = Array.from({ length: app.place + 1 }, (_unused, key) => [
    `${key} ${quoted(app.tokenText(key))}`,
    link(address("scores", key), rounded(fits[key])),
    link(address("pattern", key), percent(shares[key])),
    bar(shares[key]),
  ]);
  return table(_("Scores and shares"), [_("key"), _("score"), _("share"), ""], rows, [1, 2]);
}
