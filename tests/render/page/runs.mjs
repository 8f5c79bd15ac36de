// Runs the model on texts: the ids, the checksum over all tensors, and the explanations of some numbers.

import { pack, plain, unpack } from "./packing.mjs";

export async function answer(page, { config, weights, tokenizer, cases }) {
  const { runGPT, choose } = await page("models.js");
  const { Tokenizer } = await page("tokenizer.js");
  const { checksum } = await page("checksum.js");
  const { explain } = await page("derivation.js");
  const known = new Map();
  for (const [name, { own, axes, tensor }] of Object.entries(weights))
    known.set(name, { ...unpack(tensor), axes, name: own });
  const words = new Tokenizer(tokenizer);
  return cases.map(({ text, explained = [], choices = [] }) => {
    const ids = words.encode(text);
    const run = runGPT(config, (name) => known.get(name), ids);
    const sum = checksum(run);
    const told = explained.map(([name, index]) => {
      const { lines, value, same } = explain(run, name, index);
      return { value: plain(value), same, lines: lines.length };
    });
    const chosen = choices.map(([number, settings]) => choose(run, number, ids.length - 1, settings));
    return { ids, checksum: sum, told, chosen, next: pack(run.tensor("next_token")) };
  });
}
