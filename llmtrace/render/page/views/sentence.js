// Another sentence: how it becomes tokens, merge by merge.

import { h, table } from "../dom.js";
import { rounded } from "../numbers.js";
import { _, quoted } from "../words.js";

export function sentenceView(app, refresh) {
  if (app.tokenizer === null && app.manifest.kind === "served") return servedView(app, refresh);
  if (app.tokenizer === null) {
    return [
      h("h1", {}, _("My own sentence")),
      h("p", {}, _("The tokenizer of this model is of a kind that this page does not know.")),
    ];
  }
  const area = h("textarea", { rows: "3", "aria-label": _("sentence") }, app.typed ?? app.manifest.text);
  const shown = h("div", { "aria-live": "polite" });
  const show = () => {
    app.typed = area.value;
    shown.replaceChildren(...[tokenization(app, area.value)].flat(Infinity).filter(Boolean));
  };
  const read = async (event) => {
    event.preventDefault();
    const ids = idsOf(app, area.value);
    if (typeof ids === "string") return;
    await app.read(ids, area.value);
    toStart(refresh);
  };
  area.addEventListener("input", show);
  show();
  return [
    h("h1", {}, _("My own sentence")),
    h("form", { onsubmit: read }, area, h("p", {}, h("button", {}, _("Run the model")))),
    shown,
  ];
}

/** Goes to the start, which draws it; a reader who is there already sees it again. */
function toStart(refresh) {
  if (location.hash) location.hash = "";
  else refresh();
}

/** A field for a sentence whose tokens are made where the model runs. */
function servedView(app, refresh) {
  const area = h("textarea", { rows: "3", "aria-label": _("sentence") }, app.manifest.text);
  const read = async (event) => {
    event.preventDefault();
    await app.read(null, area.value);
    toStart(refresh);
  };
  return [
    h("h1", {}, _("My own sentence")),
    h("form", { onsubmit: read }, area, h("p", {}, h("button", {}, _("Run the model")))),
  ];
}

/** The ids of a sentence; or, in words, why the model can't read it. */
export function idsOf(app, text) {
  if (!text.isWellFormed()) return _("There is half a character in it.");
  if (app.tokenizer.loses?.(text)) return _("This tokenizer can't give the text back: begin without a space, and leave ▁ out.");
  const ids = app.tokenizer.encode(text);
  if (!ids.length) return _("Write something.");
  if (ids.includes(undefined)) return _("This model has no token for some of these characters.");
  const { context } = app.manifest.config;
  if (ids.length > context) {
    return _("These are {count} tokens, but this model reads at most {context}.", { count: ids.length, context });
  }
  return ids;
}

function tokenization(app, text) {
  const ids = idsOf(app, text);
  if (typeof ids === "string") return [h("p", { class: "wrong", role: "alert" }, ids)];
  const pieces = app.tokenizer.explain(text);
  const rows = pieces.map(({ text: piece, symbols, merges, partings, ids: own }) => [
    quoted(piece),
    symbols.join(" "),
    partings ? partingLines(partings) : mergeLines(merges),
    own.map((id) => `${quoted(app.manifest.vocabulary[id])} ${id}`).join(", "),
  ]);
  const way = pieces[0].partings ? _("the best partings") : _("merges");
  const signs = app.manifest.tokenizer.kind === "merges" ? _("its bytes") : _("its characters");
  return [
    h("p", {}, _("{count} tokens", { count: ids.length })),
    h("p", { class: "quiet" }, wayInWords(app, pieces[0])),
    table(
      _("How the sentence becomes tokens"),
      [_("piece"), signs, way, _("tokens and their numbers")],
      rows,
    ),
  ];
}

/** How a text is cut, as the command line says it. */
function wayInWords(app, piece) {
  if (piece.partings)
    return _(
      "Each word (▁ stands for a space) is parted so that its score is largest: the sum of the scores of its parts, which are the logarithms of their probabilities.",
    );
  if (app.manifest.tokenizer.kind !== "merges") return "";
  const begins = _("Each piece begins as its single bytes (Ġ stands for a space).");
  const joined = _(
    "Then the two neighbours that were learned first are joined into one, again and again, until no pair that was learned is left.",
  );
  return _("{before} {after}", { before: begins, after: joined });
}

const mergeLines = (merges) =>
  merges.map(({ rank, state }) =>
    h("div", {}, `${state.join(" ")} `, h("small", {}, `(${_("rank {rank}", { rank })})`)),
  );

/** Each with its score: the sum of those of its parts. */
const partingLines = (partings) =>
  partings.map(({ parts, scores }) => {
    const score = rounded(scores.reduce((total, each) => total + each, 0));
    return h("div", {}, `${parts.join(" ")} `, h("small", {}, `(${_("score: {score}", { score })})`));
  });
