// Decodes every tensor of a page with one character of its text changed: what is said of it, "" where its numbers stayed.

export async function answer(page, { html, changes }) {
  const { decoded } = await page("data.js");
  const manifest = JSON.parse(/<script type="application\/json" id="manifest">(.*?)<\/script>/s.exec(html)[1]);
  const texts = new Map(
    [...html.matchAll(/<script type="application\/octet-stream" id="(.*?)">(.*?)<\/script>/gs)].map((m) => [m[1], m[2]]),
  );
  const said = [];
  for (const { which, share, character } of changes) {
    const entry = manifest.weights[which % manifest.weights.length];
    const text = texts.get(entry.name);
    const place = Math.floor(share * text.length);
    const changed = text.slice(0, place) + character + text.slice(place + 1);
    try {
      const [found, right] = [await decoded(changed, entry), await decoded(text, entry)];
      said.push([entry.name, "", found.data.every((number, i) => Object.is(number, right.data[i]))]);
    } catch (error) {
      said.push([entry.name, error.tensor ?? String(error), false]);
    }
  }
  return said;
}
