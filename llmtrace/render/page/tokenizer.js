// Byte-level byte-pair encoding, as in GPT-2: a text is cut into pieces; a piece is written as bytes, one symbol per byte;
// neighbouring symbols are merged, by rank, until no merge applies.

import { UnigramTokenizer } from "./partings.js";

const UTF8 = new TextEncoder();

/** One printable character for each byte: most stand for themselves, the others take the characters from U+0100 on. */
const SYMBOLS = (() => {
  const themselves = (byte) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_unused, byte) => String.fromCodePoint(themselves(byte) ? byte : next++));
})();

/** A class of characters, for a regular expression, from the ranges [first, count, gap, count, gap, …] of code points. */
function characterClass(ranges) {
  let next = 0;
  let text = "";
  for (let i = 0; i < ranges.length; i += 2) {
    const first = next + ranges[i];
    next = first + ranges[i + 1];
    text += `\\u{${first.toString(16)}}-\\u{${(next - 1).toString(16)}}`;
  }
  return text;
}

/** The tokenizer that the data of a page are of. */
export function tokenizerFrom(data) {
  if (data.kind === "partings") return new UnigramTokenizer(data);
  return data.kind === "characters" ? new CharacterTokenizer(data) : new Tokenizer(data);
}

/** One token per character: `data`: { vocabulary: the characters by id }. */
export class CharacterTokenizer {
  constructor({ vocabulary }) {
    this.ids = new Map(vocabulary.map((character, id) => [character, id]));
  }

  encode(text) {
    return Array.from(text, (character) => this.ids.get(character));
  }

  /** The text as one piece in which nothing is merged. */
  explain(text) {
    if (!text.isWellFormed()) throw new RangeError("half a character");
    return text ? [{ text, symbols: [...text], merges: [], ids: this.encode(text) }] : [];
  }
}

/** A tokenizer of merges. `data`: { vocabulary: the symbols by id, merges: pairs by rank, letters, numbers, spaces: ranges of code points }. */
export class Tokenizer {
  constructor(data) {
    this.vocabulary = data.vocabulary;
    this.ids = new Map(data.vocabulary.map((symbols, id) => [symbols, id]));
    this.ranks = new Map(data.merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
    const [letters, numbers, spaces] = [data.letters, data.numbers, data.spaces].map(characterClass);
    // English endings; letters, numbers, or other signs, with one space before them if there is one; spaces.
    this.pattern = new RegExp(
      `'s|'t|'re|'ve|'m|'ll|'d| ?[${letters}]+| ?[${numbers}]+| ?[^${spaces}${letters}${numbers}]+` +
        `|[${spaces}]+(?![^${spaces}])|[${spaces}]+`,
      "gu",
    );
  }

  /** The pieces of a text, which are turned into tokens one by one. */
  pieces(text) {
    return text.match(this.pattern) ?? [];
  }

  /** The ids of a text. */
  encode(text) {
    return this.explain(text).flatMap((piece) => piece.ids);
  }

  /** The way of a text to its ids: { text, symbols, merges: [{ rank, left, right, where, state }], ids } for each piece. */
  explain(text) {
    if (!text.isWellFormed()) throw new RangeError("half a character");
    return this.pieces(text).map((piece) => this.merged(piece));
  }

  merged(text) {
    const bytes = UTF8.encode(text);
    const symbols = Array.from(bytes, (byte) => SYMBOLS[byte]);
    const left = [...symbols];
    const merges = [];
    for (;;) {
      const best = this.nextMerge(left);
      if (best === null) break;
      const [first, second] = left.splice(best.place, 2, left[best.place] + left[best.place + 1]);
      const where = left.slice(0, best.place).join("").length;
      merges.push({ rank: best.rank, left: first, right: second, where, state: [...left] });
    }
    return { text, symbols, merges, ids: left.map((symbol) => this.ids.get(symbol)) };
  }

  /** Of all neighbours that can be merged, those of lowest rank; of equal ones, the leftmost. */
  nextMerge(symbols) {
    let best = null;
    for (let place = 0; place + 1 < symbols.length; place++) {
      const rank = this.ranks.get(`${symbols[place]} ${symbols[place + 1]}`);
      if (rank !== undefined && (best === null || rank < best.rank)) best = { rank, place };
    }
    return best;
  }
}
