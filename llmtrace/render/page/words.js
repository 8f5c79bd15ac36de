// What the page says, in the languages that it holds.

const SPEECH = { language: "en", catalogues: { en: {} } };

/** Takes the catalogues that the page holds, and speaks one of their languages. */
export function speak(language, catalogues = SPEECH.catalogues) {
  SPEECH.catalogues = catalogues;
  SPEECH.language = language in catalogues ? language : "en";
}

/** Learns what more texts are in each language. */
export function learn(words) {
  for (const [name, texts] of Object.entries(words)) Object.assign((SPEECH.catalogues[name] ??= {}), texts);
}

export const spokenLanguage = () => SPEECH.language;

/** A text in the reader's language, with `values` at the places of their names: {name}, or {name!r} in quotes. */
export const _ = (text, values = {}) => saidIn(SPEECH.language, text, values);

/** A text in every language: pairs of the language and what is said. */
export const inEveryLanguage = (text, values = {}) =>
  Object.keys(SPEECH.catalogues).map((language) => [language, saidIn(language, text, values)]);

function saidIn(language, text, values) {
  const catalogue = SPEECH.catalogues[language];
  const said = {}.hasOwnProperty.call(catalogue, text) ? catalogue[text] : text; // which old browsers have, too
  const filled = (place) => {
    const [, name, inQuotes] = NAMED.exec(place) ?? [];
    const value = values[name];
    if (value === undefined) return place;
    return inQuotes ? quoted(String(value)) : String(value);
  };
  return said
    .split(FILLED)
    .map((part, i) => (i % 2 ? filled(part) : part))
    .reduce(beside, "");
}

const FILLED = /(\{\w+(?:!r)?(?::[^}]*)?\})/;
const NAMED = /^\{(\w+)(!r)?/;
const WIDE = /[“-”\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;

/** Two parts of a sentence in one, without the space between them where both are Chinese. */
function beside(before, after) {
  const [left, right] = [before.replace(/ +$/, ""), after.replace(/^ +/, "")];
  const spaced = before.endsWith(" ") !== after.startsWith(" ");
  return spaced && WIDE.test(left.slice(-1)) && WIDE.test(right.slice(0, 1)) ? left + right : before + after;
}

/** Marks a text that is translated where it is used. */
export const N_ = (text) => text;

const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** A text in quotes, whatever can't be seen written out, as Python writes it. */
export function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\\\p{C}\p{Zl}\p{Zp}]|[^\P{Zs} ]/gu, (letter) => ESCAPES[letter] ?? codeOf(letter));
  return quote + (quote === "'" ? inside.replaceAll("'", "\\'") : inside) + quote;
}

function codeOf(letter) {
  const code = letter.codePointAt(0).toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}
