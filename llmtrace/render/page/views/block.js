// One block: its heads ranked by how much they add to the row of the token, its strongest neurons, its steps.

import { addressOf } from "../address.js";
import { h, link, table } from "../dom.js";
import { rowOf } from "../likeliest.js";
import { percent, rounded } from "../numbers.js";
import { lengthOf } from "../tensors.js";
import { _, quoted } from "../words.js";
import { neuronsTable } from "./mlp.js";
import { sizeText } from "./tensor.js";

export function blockView(app, n) {
  const name = `block.${n}`;
  return [
    h("h1", {}, _("Block {n}", { n })),
    h(
      "p",
      {},
      _("What it does to the row of {token} at place {place}", {
        token: quoted(app.tokenText(app.place)),
        place: app.place,
      }),
    ),
    h("h2", {}, _("Attention: the heads, those first that add most here")),
    headsTable(app, n),
    h("h2", {}, _("MLP: the strongest neurons")),
    neuronsTable(app, n, 5),
    h("p", {}, link(`${name}.mlp`, _("more neurons"))),
    h("h2", {}, _("All steps of this block")),
    stepsTable(
      app,
      [...app.run.steps.keys()].filter((step) => step.startsWith(`${name}.`)),
    ),
  ];
}

function headsTable(app, n) {
  const pattern = app.run.tensor(`block.${n}.attn.pattern`);
  const rows = rankedHeads(app, n).map(({ head, adds }) => {
    const shares = rowOf(pattern, head * pattern.shape[1] + app.place);
    const key = shares.indexOf(Math.max(...shares));
    const address = addressOf(`block.${n}.attn.pattern`, pattern.axes, [head, app.place, key]);
    return [
      link(addressOf(`block.${n}.attn.pattern`, ["head"], [head]), _("head {head}", { head })),
      rounded(adds),
      quoted(app.tokenText(key)),
      link(address, percent(shares[key])),
    ];
  });
  const headings = [_("head"), _("length of what it adds"), _("looks most at"), _("share")];
  return table(_("Heads of block {n}", { n }), headings, rows, [1, 3]);
}

/** The heads of a block by the length of what each adds to the row of the token: its mix times its rows of the weights. */
export function rankedHeads(app, n) {
  const mix = app.run.tensor(`block.${n}.attn.mix`);
  const weight = app.run.tensor(`block.${n}.attn.out.weight`);
  const [heads, positions, features] = mix.shape;
  return Array.from({ length: heads }, (_unused, head) => {
    const own = rowOf(mix, head * positions + app.place);
    const added = new Float64Array(weight.shape[1]);
    own.forEach((x, d) => rowOf(weight, head * features + d).forEach((w, i) => (added[i] += x * w)));
    return { head, adds: lengthOf(added) };
  }).sort((a, b) => b.adds - a.adds);
}

/** Steps with their sizes and what they are. */
export function stepsTable(app, names) {
  const rows = names.map((name) => {
    return [link(name, name), sizeText(app, app.run.tensor(name)), app.words.what(app.run, name)];
  });
  return table(_("steps"), [_("name"), _("size"), _("what it is")], rows);
}
