// A tokenizer of probabilities, as SentencePiece has it: of all partings of a word into entries of the vocabulary, the one
// whose scores (logarithms of probabilities) add up to most (Kudo 2018, arXiv:1804.10959; Viterbi 1967). A space is written "▁".

const SPACE_SIGN = "▁";
const WORD = / [^ ]*|[^ ]+/g;
const BYTES_OF_TEXT = new TextEncoder();

/** `data`: { entries: [text, score] by id, apart: entries that no text is written with, unknown: the score of a character
 *  without an entry, inBytes: such a character is written in bytes, addsSpace, byWords }. */
export class UnigramTokenizer {
  constructor(data) {
    this.data = data;
    this.ids = new Map(data.entries.map(([text], id) => [text, id]));
    const apart = new Set(data.apart);
    this.scores = new Map(data.entries.filter(([text]) => !apart.has(text)));
    this.longest = Math.max(1, ...[...this.scores.keys()].map((text) => [...text].length));
  }

  /** The words of a text, each with the space before it. */
  words(text) {
    if (text === "") return [];
    const whole = this.data.addsSpace && !text.startsWith(" ") ? ` ${text}` : text;
    return this.data.byWords ? whole.match(WORD) : [whole];
  }

  encode(text) {
    return this.explain(text).flatMap((piece) => piece.ids);
  }

  /** Whether a text would not come back from its tokens. */
  loses(text) {
    return text.includes(SPACE_SIGN) || (this.data.addsSpace && text.startsWith(" "));
  }

  /** The way of a text to its ids: { text, symbols, merges, partings: [{ parts, scores }] from the best on, ids } per word. */
  explain(text) {
    if (!text.isWellFormed()) throw new RangeError("half a character");
    return this.words(text).map((word, i) => {
      const symbols = [...word.replaceAll(" ", SPACE_SIGN)];
      const partings = this.partings(symbols, 2);
      const ids = partings[0].parts.flatMap((part) => this.namesOf(part)).map((name) => this.ids.get(name));
      const own = i === 0 && this.data.addsSpace && !text.startsWith(" ") ? word.slice(1) : word;
      return { text: own, symbols, merges: [], partings, ids };
    });
  }

  /** The entries for a part of a word: itself, or its bytes; a name that is none where there are neither. */
  namesOf(part) {
    if (this.scores.has(part)) return [part];
    if (!this.data.inBytes) return [undefined];
    return Array.from(BYTES_OF_TEXT.encode(part === SPACE_SIGN ? " " : part), byteName);
  }

  /** The best partings, best first; of equal ones, the one whose last part is longer. */
  partings(symbols, count) {
    const ways = [[{ score: 0, start: 0, way: 0 }]]; // to each place: its score, where from, which way there
    for (let end = 1; end <= symbols.length; end++) {
      const found = [];
      for (let start = Math.max(0, end - this.longest); start < end; start++) {
        const own = this.scoreOf(symbols, start, end);
        if (own !== undefined) ways[start].forEach(({ score }, way) => found.push({ score: score + own, start, way }));
      }
      ways.push(found.sort((a, b) => b.score - a.score).slice(0, count));
    }
    return ways.at(-1).map((_unused, way) => this.followed(symbols, ways, way));
  }

  scoreOf(symbols, start, end) {
    return this.scores.get(symbols.slice(start, end).join("")) ?? (start === end - 1 ? this.data.unknown : undefined);
  }

  /** One way to the end, followed back. */
  followed(symbols, ways, way) {
    const [parts, scores] = [[], []];
    for (let end = symbols.length; end; ) {
      const step = ways[end][way];
      parts.unshift(symbols.slice(step.start, end).join(""));
      scores.unshift(this.scoreOf(symbols, step.start, end));
      [end, way] = [step.start, step.way];
    }
    return { parts, scores };
  }
}

const byteName = (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
