// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"), any size.
// Letters: T tokens, C width of the residual stream, H heads, D = C / H features of a head, V vocabulary.

import { f32 } from "./arithmetic.js";
import { Run } from "./run.js";
import { range } from "./tensors.js";
import { uniform } from "./random.js";

/** Token ids → the run of the model: every tensor on the way from the ids to the next token. */
export function runGPT(config, weights, ids, edits) {
  const run = new Run(weights, edits);
  const tokens = run.leaf("tokens", Int32Array.from(ids), ["position"]);
  const positions = run.leaf("positions", Int32Array.from(range(ids.length)), ["position"]);
  const token = run.do("embed.token", "embedding", [tokens]);
  const position = run.do("embed.position", "embedding", [positions]);
  let x = run.do("embed", "add", [token, position]);
  for (let i = 0; i < config.blocks; i++) x = block(run, `block.${i}`, config, x);
  x = run.do("ln_f", "layer_norm", [x], { epsilon: config.epsilon });
  const logits = run.do("logits", "linear", [x], { transposed: true });
  const probabilities = run.do("probabilities", "softmax", [logits]);
  run.do("next_token", "argmax", [probabilities]);
  return run;
}

/** One block, pre-norm: the stream x flows on, and attention and the MLP each add to it. */
function block(run, name, { epsilon, heads }, x) {
  const asked = run.do(`${name}.ln_1`, "layer_norm", [x], { epsilon });
  x = run.do(`${name}.residual_mid`, "add", [x, attention(run, `${name}.attn`, heads, asked)]);
  const normed = run.do(`${name}.ln_2`, "layer_norm", [x], { epsilon });
  return run.do(`${name}.residual_out`, "add", [x, mlp(run, `${name}.mlp`, normed)]);
}

/** Every token asks (q), every token answers to some questions (k), and hands over something (v). */
function attention(run, name, heads, x) {
  const q = run.do(`${name}.q`, "linear_to_heads", [x], { heads });
  const k = run.do(`${name}.k`, "linear_to_heads", [x], { heads });
  const v = run.do(`${name}.v`, "linear_to_heads", [x], { heads });
  const scores = run.do(`${name}.scores`, "attention_scores", [q, k]);
  const pattern = run.do(`${name}.pattern`, "causal_softmax", [scores]);
  const mix = run.do(`${name}.mix`, "attention_mix", [pattern, v]);
  return run.do(`${name}.out`, "linear_from_heads", [mix]);
}

/** Each token on its own: many neurons, each bent by GELU, summed back into the width. */
function mlp(run, name, x) {
  const up = run.do(`${name}.up`, "linear", [x]);
  const act = run.do(`${name}.act`, "gelu_tanh", [up]);
  return run.do(`${name}.down`, "linear", [act]);
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
