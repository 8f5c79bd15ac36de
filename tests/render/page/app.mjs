// Opens a page as it was written, without a browser, and answers questions about it.

import { readFileSync } from "node:fs";
import { pack } from "./packing.mjs";

let last = { known: null }; // the page that was asked about last

/** A page that has begun, as it was at first: { manifest, app }, or what is damaged in it. */
async function opened(page, file, text) {
  const { App } = await page("app.js");
  const { speak } = await page("words.js");
  const known = file ?? text;
  if (last.known !== known) {
    const html = text ?? readFileSync(file, "utf8");
    const manifest = JSON.parse(/<script type="application\/json" id="manifest">(.*?)<\/script>/s.exec(html)[1]);
    const texts = new Map(
      [...html.matchAll(/<script type="application\/octet-stream" id="(.*?)">(.*?)<\/script>/gs)].map((m) => [
        m[1],
        m[2],
      ]),
    );
    const app = new App(manifest);
    try {
      await app.start((name) => texts.get(name));
    } catch (error) {
      return { damaged: error.tensor ?? String(error) };
    }
    last = { known, manifest, app };
  } else if (last.app.ids !== last.manifest.ids || last.app.changes.length) {
    last.app.read(last.manifest.ids, last.manifest.text);
  }
  speak(last.manifest.language, last.manifest.languages);
  return last;
}

export async function answer(page, { file, html, asked }) {
  const { speak } = await page("words.js");
  const { exact, rounded } = await page("numbers.js");
  const { recipeOf, replay } = await page("recipe.js");
  const { sha256 } = await page("sha256.js");
  const { checksum } = await page("checksum.js");
  const { manifest, app, damaged } = await opened(page, file, html);
  if (damaged) return { damaged };
  const answers = {
    exact: (bits) => bits.map((each) => exact(new Float32Array(Uint32Array.of(each).buffer)[0])),
    rounded: (numbers) => numbers.map((each) => rounded(each)),
    digest: (text) => sha256(new TextEncoder().encode(text)),
    checksum: () => app.checksum,
    read: (text) => {
      app.read(app.tokenizer.encode(text), text);
      return checksum(app.plain);
    },
    sentences: ([language, places]) => {
      speak(language, manifest.languages);
      return places.map(([name, index]) => app.words.sentence(app.run, name, index));
    },
    places: (addresses) => addresses.map((address) => placeOf(address)),
    follow: ([recipe, names]) => {
      replay(app, recipe);
      const values = names.map((name) => pack(app.run.tensor(name)));
      const counts = Object.fromEntries(app.differences().map(({ name, changed }) => [name, changed]));
      const [again, sum] = [recipeOf(app), checksum(app.run)];
      return { values, counts, again, sum };
    },
    refuse: (recipe) => {
      try {
        replay(app, recipe);
        return null;
      } catch (error) {
        return { message: String(error.message), changes: app.changes.length, ids: app.ids };
      }
    },
    generate: ([settings, count]) => {
      for (let i = 0; i < count; i++) app.goOn(settings);
      const made = app.choices.map(({ token }) => token);
      while (app.goBack());
      return { made, left: app.ids };
    },
    swapped: ([settings, position, token]) => {
      app.goOn(settings);
      app.change({ position, token });
      return app.differences().map(({ name }) => name);
    },
  };
  const { parseAddress, resolveIndex } = await page("address.js");
  const placeOf = (address) => {
    try {
      const parsed = parseAddress(address);
      return [
        parsed.name,
        resolveIndex(parsed, app.run.tensor(parsed.name), (axis, i) => app.words.label(app.run, axis, i)),
      ];
    } catch (error) {
      return String(error.message);
    }
  };
  return asked.map(([question, given]) => answers[question](given));
}
