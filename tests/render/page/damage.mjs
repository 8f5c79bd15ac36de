// Decodes everything that a page holds with one character of its text changed: what is said of it, "" where it stayed as it was.

export async function answer(page, { html, changes }) {
  const { decoded, inflatedText } = await page("data.js");
  const manifest = JSON.parse(/<script type="application\/json" id="manifest">(.*?)<\/script>/s.exec(html)[1]);
  const texts = new Map(
    [...html.matchAll(/<script type="application\/octet-stream" id="(.*?)">(.*?)<\/script>/gs)].map((m) => [m[1], m[2]]),
  );
  const all = [...held(manifest, async (text, entry) => (await decoded(text, entry)).data, inflatedText)];
  const said = [];
  for (const { which, share, character } of changes) {
    const { id, name, decode } = all[which % all.length];
    const text = texts.get(id);
    const place = Math.floor(share * text.length);
    const changed = text.slice(0, place) + character + text.slice(place + 1);
    try {
      said.push([name, "", alike(await decode(changed), await decode(text))]);
    } catch (error) {
      said.push([name, error.tensor ?? String(error), false]);
    }
  }
  return { said, count: all.length, texts: texts.size };
}

/** All that is in the file: of a model, of a run, of lessons. */
function* held({ weights = [], run, runs = [] }, numbers, words) {
  for (const entry of weights) yield { id: entry.name, name: entry.name, decode: (text) => numbers(text, entry) };
  for (const record of run ? [run] : runs) {
    for (const entry of record.tensors.filter((each) => each.held)) {
      const id = entry.id ?? `${record.id}:${entry.name}`;
      yield { id, name: entry.name, decode: (text) => numbers(text, entry) };
    }
    const id = record.explanations;
    if (id) yield { id, name: id, decode: (text) => words(text, id) };
  }
}

const alike = (a, b) => (typeof a === "string" ? a === b : a.every((number, i) => Object.is(number, b[i])));
