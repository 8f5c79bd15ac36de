// Runs the model on texts: the ids, the checksum over all tensors, and the explanations of some numbers.

import { pack, plain, unpack } from "./packing.mjs";

export async function answer(page, { family, config, weights, tokenizer, cases }) {
  const { runModel, choose } = await page("models.js");
  const { tokenizerFrom } = await page("tokenizer.js");
  const { checksum } = await page("checksum.js");
  const { explain } = await page("derivation.js");
  const known = new Map();
  for (const [name, { own, axes, tensor }] of Object.entries(weights))
    known.set(name, { ...unpack(tensor), axes, name: own });
  const words = tokenizer && tokenizerFrom(tokenizer);
  const model = { family, config, weights: (name) => known.get(name) };
  return cases.map(({ text, ids = words.encode(text), explained = [], choices = [], from = [] }) => {
    let run = from.length ? runModel(model, ids.slice(0, from[0])) : runModel(model, ids);
    for (const end of [...from.slice(1), ...(from.length ? [ids.length] : [])]) {
      run = runModel(model, ids.slice(0, end), { before: run });
    }
    const sum = checksum(run);
    const told = explained.map(([name, index]) => {
      const { lines, value, same } = explain(run, name, index);
      return { value: plain(value), same, lines: lines.length };
    });
    const chosen = choices.map(([number, settings]) => choose(run, number, ids.length - 1, settings));
    return { ids, checksum: sum, told, chosen, next: pack(run.tensor("next_token")) };
  });
}
