// How the page is used, and how it is used without a mouse.

import { h, table } from "../dom.js";
import { _ } from "../words.js";

const ONLY_RUNS = ["n", "w", "u"]; // what a page of lessons has not

export function helpView(app) {
  const lessons = app.manifest.kind === "lessons";
  const keys = [
    [
      "/",
      _("to the search field: type an address, such as {address}", {
        address: "block.0.attn.q[head=0, position=1, feature=2]",
      }),
    ],
    lessons ? ["e", _("in a lesson: to the same field, for a trace and an address")] : null,
    lessons ? ["a", _("play what can be played, and stop it")] : null,
    ["?", _("this help")],
    ["h", _("to the sentence, the start")],
    ["n", _("one token at a time; then space or → one step on, ← one step back")],
    ["w", _("what if")],
    ["u", _("undo the last change")],
    ["p", _("this view step by step, in large letters: → and space one step on, ← one step back, Esc ends it")],
    ["l", _("the next language")],
    ["Tab, Enter", _("from link to link; follow one")],
    ["← ↑ → ↓, Enter", _("in a grid: from cell to cell; open one")],
    ["Alt ←", _("back to where you were")],
  ];
  return [
    h("h1", {}, _("Help")),
    h(
      "p",
      {},
      _(
        "Every number is a link to the multiplications and additions that made it, down to the sentence and the weights.",
      ),
    ),
    table(_("Keys"), [_("keys"), _("what it does")], keys.filter((key) => key && !(lessons && ONLY_RUNS.includes(key[0])))),
  ];
}
