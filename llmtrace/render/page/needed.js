// What a browser must have. It stands first: where something is lacking, the page says so, and the rest is not even begun.

import { inEveryLanguage, N_, speak, spokenLanguage } from "./words.js";

const NEEDED = {
  "DecompressionStream deflate-raw": () => new DecompressionStream("deflate-raw"),
  "Math.fround": () => Math.fround(1),
  BigInt: () => BigInt64Array.from([1], BigInt),
  TextEncoder: () => new TextEncoder(),
  TextDecoder: () => new TextDecoder(),
  ResizeObserver: () => new ResizeObserver(() => null),
  "Array.at": () => [0].at(-1),
  "Array.findLast": () => [].findLast(Boolean),
  "Array.findLastIndex": () => [].findLastIndex(Boolean),
  "Array.flatMap": () => [].flatMap(Boolean),
  "Array.with": () => [0].with(0, 1),
  "Object.fromEntries": () => Object.fromEntries([]),
  "Object.hasOwn": () => Object.hasOwn({}, "x"),
  "String.isWellFormed": () => "".isWellFormed(),
  "String.matchAll": () => "".matchAll(/x/g),
  "String.replaceAll": () => "".replaceAll("x", ""),
  "Element.replaceChildren": () => document.createElement("p").replaceChildren(),
};

const LACKING = Object.keys(NEEDED).filter((name) => {
  try {
    NEEDED[name]();
    return false;
  } catch {
    return true;
  }
});

speak(spokenLanguage(), FIRST_WORDS);

/** Says why the page can't be shown, in every language: whose reader it is can't be known yet. */
export function fail(text, values) {
  const line = document.getElementById("fallback");
  line.textContent = "";
  for (const [lang, said] of inEveryLanguage(text, values)) {
    const part = document.createElement("span");
    part.lang = lang;
    part.textContent = said;
    line.appendChild(part);
  }
}

if (LACKING.length) {
  fail(N_("This browser is too old: it lacks {names}."), { names: LACKING.join(", ") });
  throw new Error(LACKING.join(", "));
}
