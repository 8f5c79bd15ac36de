// One MLP at one token: the neurons that move its row most.

import { addressOf } from "../address.js";
import { h, link, table } from "../dom.js";
import { rowOf } from "../likeliest.js";
import { rounded } from "../numbers.js";
import { lengthOf, range } from "../tensors.js";
import { _, quoted } from "../words.js";

export function mlpView(app, n) {
  const step = (part) => link(`block.${n}.mlp.${part}`, `block.${n}.mlp.${part}`);
  const steps = [...columnsOf(app, n), { part: "down" }];
  return [
    h("h1", {}, _("Block {n}: MLP", { n })),
    h("p", {}, _("The neurons that move the row of {token} most", { token: quoted(app.tokenText(app.place)) })),
    neuronsTable(app, n, 20),
    h("p", {}, steps.flatMap(({ part }, i) => [i ? " → " : "", step(part)])),
  ];
}

/** The steps of an MLP up to what its neurons say; those of a Llama have gates. */
function columnsOf(app, n) {
  if (app.run.tensor(`block.${n}.mlp.product`) === undefined) {
    return [
      { part: "up", heading: _("adds up") },
      { part: "act", heading: _("says") },
    ];
  }
  return [
    { part: "gate", heading: _("its gate adds up") },
    { part: "act", heading: _("its gate is open") },
    { part: "up", heading: _("has to say") },
    { part: "product", heading: _("says") },
  ];
}

/** The neurons by the length of what each adds: what it says times its row of weights. */
export function neuronsTable(app, n, count) {
  const columns = columnsOf(app, n);
  const rowsOfSteps = columns.map(({ part }) => rowOf(app.run.tensor(`block.${n}.mlp.${part}`), app.place));
  const weight = app.run.tensor(`block.${n}.mlp.down.weight`);
  const said = rowsOfSteps.at(-1);
  const ranked = Array.from(said, (x, neuron) => ({ neuron, adds: Math.abs(x) * lengthOf(rowOf(weight, neuron)) }));
  ranked.sort((a, b) => b.adds - a.adds);
  const address = (part, neuron) => addressOf(`block.${n}.mlp.${part}`, ["position", "feature"], [app.place, neuron]);
  const rows = ranked
    .slice(0, count)
    .map(({ neuron, adds }) => [
      neuron,
      ...columns.map(({ part }, i) => link(address(part, neuron), rounded(rowsOfSteps[i][neuron]))),
      rounded(adds),
    ]);
  const headings = [_("neuron"), ...columns.map(({ heading }) => heading), _("length of what it adds")];
  return table(_("Neurons of block {n}", { n }), headings, rows, range(headings.length));
}
