// One MLP at one token: the neurons that move its row most.

import { addressOf } from "../address.js";
import { h, link, table } from "../dom.js";
import { rowOf } from "../likeliest.js";
import { rounded } from "../numbers.js";
import { lengthOf } from "../tensors.js";
import { _, quoted } from "../words.js";

export function mlpView(app, n) {
  const step = (part) => link(`block.${n}.mlp.${part}`, `block.${n}.mlp.${part}`);
  return [
    h("h1", {}, _("Block {n}: MLP", { n })),
    h("p", {}, _("The neurons that move the row of {token} most", { token: quoted(app.tokenText(app.place)) })),
    neuronsTable(app, n, 20),
    h("p", {}, step("up"), " → ", step("act"), " → ", step("down")),
  ];
}

/** The neurons by the length of what each adds: its activation times its row of weights. */
export function neuronsTable(app, n, count) {
  const [up, act] = ["up", "act"].map((part) => rowOf(app.run.tensor(`block.${n}.mlp.${part}`), app.place));
  const weight = app.run.tensor(`block.${n}.mlp.down.weight`);
  const ranked = Array.from(act, (x, neuron) => ({ neuron, adds: Math.abs(x) * lengthOf(rowOf(weight, neuron)) }));
  ranked.sort((a, b) => b.adds - a.adds);
  const address = (part, neuron) => addressOf(`block.${n}.mlp.${part}`, ["position", "feature"], [app.place, neuron]);
  const rows = ranked
    .slice(0, count)
    .map(({ neuron, adds }) => [
      neuron,
      link(address("up", neuron), rounded(up[neuron])),
      link(address("act", neuron), rounded(act[neuron])),
      rounded(adds),
    ]);
  const headings = [_("neuron"), _("adds up"), _("says"), _("length of what it adds")];
  return table(_("Neurons of block {n}", { n }), headings, rows, [0, 1, 2, 3]);
}
