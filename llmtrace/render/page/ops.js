// Every op that a run of GPT-2 and a choice of the next token do, by name. Each has `forward` and, beside it, `explain`:
// the same calculation for one number, written line by line, in the order of docs/arithmetic.md.

import { attentionMixOp, attentionScoresOp, causalSoftmaxOp } from "./ops/attention.js";
import { addOp, divideByOp, geluTanhOp } from "./ops/elementwise.js";
import { embeddingOp, linearOp, linearFromHeadsOp, linearToHeadsOp } from "./ops/linear.js";
import { layerNormOp, softmaxOp } from "./ops/rows.js";
import { argmaxOp, sampleOp, selectOp, topKOp, topPOp } from "./ops/sampling.js";

export const OPS = Object.fromEntries(
  [
    addOp,
    argmaxOp,
    attentionMixOp,
    attentionScoresOp,
    causalSoftmaxOp,
    divideByOp,
    embeddingOp,
    geluTanhOp,
    layerNormOp,
    linearOp,
    linearFromHeadsOp,
    linearToHeadsOp,
    sampleOp,
    selectOp,
    softmaxOp,
    topKOp,
    topPOp,
  ].map((op) => [op.name, op]),
);
