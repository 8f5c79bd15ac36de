// Does ops with given operands, and explains one number of each result.

import { pack, plain, unpack } from "./packing.mjs";

export async function answer(page, cases) {
  const { OPS } = await page("ops.js");
  const { Run } = await page("run.js");
  const { explain } = await page("derivation.js");
  return cases.map(({ op, tensors, settings, index }) => {
    const given = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor && unpack(tensor)]));
    const { inputs, weights } = OPS[op];
    const named = weights.map((name) => [`out.${name}`, given[name] && { ...given[name], name: `out.${name}` }]);
    const known = new Map(named);
    const run = new Run((name) => known.get(name) ?? undefined);
    for (const name of inputs) run.tensors.set(`in.${name}`, { ...given[name], name: `in.${name}` });
    const out = run.do(
      "out",
      op,
      inputs.map((name) => run.tensor(`in.${name}`)),
      settingsOf(settings),
    );
    if (out.data.length === 0) return { out: pack(out), lines: [] };
    const { lines, same } = explain(run, "out", index);
    return { out: pack(out), same, lines: lines.map(written) };
  });
}

/** Settings, whose numbers that are not finite came as text. */
const settingsOf = (settings) =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, WORDS[value] ?? value]));

const WORDS = { inf: Infinity, "-inf": -Infinity, nan: NaN };

function written({ name, operation, operands, values }) {
  return {
    name,
    operation,
    operands: operands.map(({ values: own, line, constant, tensor, index }) =>
      line ? { line } : constant ? { constant, values: plain(own) } : { tensor, index, values: plain(own) },
    ),
    values: plain(values),
  };
}
