// What the page says of numbers of runs that were computed elsewhere, in every language.

import { unpack } from "./packing.mjs";

export async function answer(page, { legends, vocabularies, languages, cases }) {
  const { StoredRun } = await page("stored.js");
  const { Descriptions } = await page("describe.js");
  const { speak } = await page("words.js");
  return cases.map(({ record, tensors, asked }) => {
    const run = new StoredRun(record, {});
    for (const [name, tensor] of Object.entries(tensors)) run.tensor(name).numbers = unpack(tensor).data;
    const words = new Descriptions(legends[record.legend], vocabularies[record.vocabulary]);
    return Object.keys(languages).map((language) => {
      speak(language, languages);
      return asked.map(([name, index]) => [words.what(run, name), words.sentence(run, name, index)]);
    });
  });
}
