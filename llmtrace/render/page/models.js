// A model's run: every tensor on the way from the ids of tokens to the next one, and how that is chosen.

import { f32 } from "./arithmetic.js";
import { forwardGPT } from "./gpt.js";
import { forwardLlama } from "./llama.js";
import { Run } from "./run.js";
import { range } from "./tensors.js";
import { uniform } from "./random.js";

const FAMILIES = { gpt: forwardGPT, llama: forwardLlama };

/** Token ids → the run of a model, { family, config, weights(name) }, with the `edits` in it.
 *
 * `before`: a run of the same model, with the same edits, on the first of these ids; only what comes after it is computed then.
 */
export function runModel({ family, config, weights }, ids, { edits, before } = {}) {
  const run = new Run(weights, edits, before);
  const tokens = run.leaf("tokens", Int32Array.from(ids), ["position"]);
  const positions = run.leaf("positions", Int32Array.from(range(ids.length)), ["position"]);
  const logits = FAMILIES[family](run, config, tokens, positions);
  const probabilities = run.do("probabilities", "softmax", [logits]);
  run.do("next_token", "argmax", [probabilities]);
  run.grown();
  return run;
}

/** Chooses the token after the one at `row`, as `llmtrace generate` does; the steps are recorded as `choice.N.…`. */
export function choose(run, number, row, { temperature = 1, topK = null, topP = null, seed = 0 } = {}) {
  const name = `choice.${number}`;
  const place = { data: Int32Array.of(row), shape: [], axes: [], name: `${name}.position` };
  run.tensors.set(place.name, place);
  const scores = run.do(`${name}.logits`, "select", [place, run.tensor("logits")]);
  if (temperature === 0) {
    run.do(`${name}.probabilities`, "softmax", [scores]);
    return run.do(`${name}.token`, "argmax", [scores]).data[0];
  }
  let left = run.do(`${name}.scaled`, "divide_by", [scores], { divisor: temperature });
  if (topK !== null) left = run.do(`${name}.top_k`, "top_k", [left], { k: topK });
  if (topP !== null && topP < 1) left = run.do(`${name}.top_p`, "top_p", [left], { p: topP });
  const probabilities = run.do(`${name}.probabilities`, "softmax", [left]);
  const drawn = { data: Float32Array.of(f32(uniform(seed, number))), shape: [], axes: [], name: `${name}.number` };
  run.tensors.set(drawn.name, drawn);
  return run.do(`${name}.token`, "sample", [probabilities, drawn]).data[0];
}
