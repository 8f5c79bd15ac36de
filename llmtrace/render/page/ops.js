// Every op that a run and a choice of the next token do, by name. Each has `forward` and, beside it, `explain`: the same
// calculation for one number, written line by line, in the order of docs/arithmetic.md.
//
// Where a text has grown: `whole` are the inputs of which also the earlier rows are needed, `unseen` is what stands at the
// keys that a query does not see (+0, where it is not said).

import { attentionMixOp, attentionScoresOp, causalSoftmaxOp } from "./ops/attention.js";
import { addOp, divideByOp, geluErfOp, geluTanhOp, multiplyOp } from "./ops/elementwise.js";
import { reluOp, scaleOp, siluOp, tanhOp } from "./ops/elementwise.js";
import { repeatHeadsOp, rotateOp } from "./ops/heads.js";
import { embeddingOp, linearOp, linearFromHeadsOp, linearToHeadsOp } from "./ops/linear.js";
import { layerNormOp, rmsNormOp, softmaxOp } from "./ops/rows.js";
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
    geluErfOp,
    geluTanhOp,
    layerNormOp,
    linearOp,
    linearFromHeadsOp,
    linearToHeadsOp,
    multiplyOp,
    reluOp,
    repeatHeadsOp,
    rmsNormOp,
    rotateOp,
    sampleOp,
    scaleOp,
    selectOp,
    siluOp,
    softmaxOp,
    tanhOp,
    topKOp,
    topPOp,
  ].map((op) => [op.name, op]),
);
