// The sentence, the next token with its probabilities, and what each block adds.

import { addressOf } from "../address.js";
import { checksum } from "../checksum.js";
import { h, link, table } from "../dom.js";
import { candidatesTable, rowOf } from "../likeliest.js";
import { counted, percent, rounded } from "../numbers.js";
import { LeftOutError } from "../stored.js";
import { holdings } from "../stored_app.js";
import { lengthOf } from "../tensors.js";
import { _, quoted } from "../words.js";
import { stepsTable } from "./block.js";

export function overviewView(app, refresh) {
  const { run, place } = app;
  if (run.tensor("block.0.attn.pattern") === undefined || run.tensor("probabilities") === undefined) return netView(app);
  return [
    h(
      "h1",
      {},
      _("{model} reads {count} tokens", { model: app.manifest.model || _("The model"), count: app.ids.length }),
    ),
    tokensLine(app, refresh),
    h("p", { class: "quiet" }, _("Choose a token to see what the model expects after it.")),
    h("h2", {}, _("after {token}, at place {place}:", { token: quoted(app.tokenText(place)), place })),
    held(() => candidatesTable(app, run, place)),
    h("h2", {}, _("What each block adds")),
    h("p", { class: "quiet" }, _("Numbers are the lengths of rows (norms).")),
    held(() => blocksTable(app)),
    app.checksum === undefined ? storedLines(app) : checksumLine(app),
  ];
}

/** A run of another kind of net: all its steps. */
function netView(app) {
  return [
    h("h1", {}, app.manifest.model || _("A run")),
    stepsTable(app, [...app.run.tensors.keys()]),
    storedLines(app),
  ];
}

/** What a page says of a run that was computed elsewhere. */
function storedLines(app) {
  const { checksum: sum } = app.run.record;
  return h(
    "footer",
    { class: "checksum" },
    h("p", {}, holdings(app)),
    sum ? h("p", {}, _("checksum of all its numbers: {sum}", { sum })) : null,
  );
}

/** What can be made of the numbers that the page holds; a line in words where they were left out. */
function held(make) {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof LeftOutError)) throw error;
    return h("p", { class: "quiet" }, error.message);
  }
}

/** The tokens of the sentence, one of which is chosen. */
function tokensLine(app, refresh) {
  const choose = (place) => () => {
    app.position = place;
    refresh();
  };
  const token = (_unused, place) =>
    h(
      "button",
      { class: "token", "aria-pressed": String(place === app.place), onclick: choose(place) },
      quoted(app.tokenText(place)),
    );
  return h("p", { class: "tokens", role: "group", "aria-label": _("tokens") }, app.ids.map(token));
}

function blocksTable(app) {
  const { run, place } = app;
  const length = (name) => rounded(lengthOf(rowOf(run.tensor(name), place)));
  const rows = Array.from({ length: app.manifest.config.blocks }, (_unused, n) => {
    const { head, key, share } = strongestLook(app, n);
    const pattern = addressOf(`block.${n}.attn.pattern`, ["head", "query", "key"], [head, place, key]);
    return [
      link(`block.${n}`, _("block {n}", { n })),
      [_("head {head}: {token}", { head, token: quoted(app.tokenText(key)) }), " ", link(pattern, percent(share))],
      link(addressOf(`block.${n}.attn.out`, ["position"], [place]), length(`block.${n}.attn.out`)),
      link(addressOf(`block.${n}.mlp.down`, ["position"], [place]), length(`block.${n}.mlp.down`)),
      link(addressOf(`block.${n}.residual_out`, ["position"], [place]), length(`block.${n}.residual_out`)),
    ];
  });
  const headings = [_("block"), _("looks most at"), _("attention adds"), _("MLP adds"), _("length of the row")];
  return table(_("What each block adds to the row of this token"), headings, rows, [2, 3, 4]);
}

/** Of all heads of a block, the largest share that this token gives to another one; to itself, where it is alone. */
function strongestLook(app, n) {
  const { data, shape } = app.run.tensor(`block.${n}.attn.pattern`);
  const [heads, tokens] = shape;
  let best = { head: 0, key: app.place, share: -1 };
  for (let head = 0; head < heads; head++) {
    for (let key = 0; key < Math.max(1, app.place); key++) {
      const share = data[(head * tokens + app.place) * tokens + key];
      if (share > best.share) best = { head, key, share };
    }
  }
  return best;
}

/** The proof that the page computes what the command line does: the checksum that `llmtrace page` prints for a sentence. */
function checksumLine(app) {
  const numbers = [...app.run.steps.keys()].reduce((count, name) => count + app.run.tensor(name).data.length, 0);
  const same = app.checksum === app.manifest.checksum;
  const sums = { sum: app.checksum, other: app.manifest.checksum };
  const proof = same
    ? _("✓ The numbers of the first sentence have the bits that the command line gives: checksum {sum}", sums)
    : _("✗ The numbers differ from those of the command line: checksum {sum}, there {other}", sums);
  const own =
    app.ids === app.manifest.ids
      ? null
      : h("p", { id: "own-sum" }, _("checksum of all its numbers: {sum}", { sum: checksum(app.plain) }));
  return h(
    "footer",
    { class: same ? "checksum" : "checksum wrong" },
    h("p", {}, _("{count} numbers in this run", { count: counted(numbers) })),
    own,
    h("p", {}, proof),
  );
}
