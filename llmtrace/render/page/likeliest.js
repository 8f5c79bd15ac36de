// The tokens that the model expects next, the likeliest first.

import { ranking } from "./derivation.js";
import { bar, link, table } from "./dom.js";
import { addressOf } from "./address.js";
import { percent, rounded } from "./numbers.js";
import { _, quoted } from "./words.js";

export const AXES_OF_SCORES = ["position", "vocabulary"];

/** The likeliest tokens after a position: [{ id, score, share }]. */
export function candidates(run, position, count) {
  const shares = rowOf(run.tensor("probabilities"), position);
  const scores = rowOf(run.tensor("logits"), position);
  return ranking(shares)
    .slice(0, count)
    .map((id) => ({ id, score: scores[id], share: shares[id] }));
}

export function rowOf({ data, shape }, row) {
  const width = shape.at(-1);
  return data.subarray(row * width, (row + 1) * width);
}

/** They in a table, each number a link. */
export function candidatesTable(app, run, position, count = 10, caption = _("next token")) {
  const rows = candidates(run, position, count).map(({ id, score, share }) => [
    quoted(app.manifest.vocabulary[id]),
    link(addressOf("logits", AXES_OF_SCORES, [position, id]), rounded(score)),
    link(addressOf("probabilities", AXES_OF_SCORES, [position, id]), percent(share)),
    bar(share),
  ]);
  return table(caption, [_("token"), _("score"), _("probability"), ""], rows, [1, 2]);
}
