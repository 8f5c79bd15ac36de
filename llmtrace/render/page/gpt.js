// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"), any size.
// Letters: T tokens, C width of the residual stream, H heads, D = C / H features of a head, V vocabulary.

const ACTIVATIONS = { gelu_new: "gelu_tanh", gelu: "gelu_erf", relu: "relu", silu: "silu", tanh: "tanh" };

/** Tokens at positions, each a leaf of the run, → logits. */
export function forwardGPT(run, config, tokens, positions) {
  const token = run.do("embed.token", "embedding", [tokens]);
  const position = run.do("embed.position", "embedding", [positions]);
  let x = run.do("embed", "add", [token, position]);
  for (let i = 0; i < config.blocks; i++) x = blockGPT(run, i, config, x);
  x = run.do("ln_f", "layer_norm", [x], { epsilon: config.epsilon });
  return run.do("logits", "linear", [x], { transposed: true });
}

/** One block, pre-norm: the stream x flows on, and attention and the MLP each add to it. */
function blockGPT(run, i, config, x) {
  const name = `block.${i}`;
  const { epsilon } = config;
  const asked = run.do(`${name}.ln_1`, "layer_norm", [x], { epsilon });
  x = run.do(`${name}.residual_mid`, "add", [x, attentionGPT(run, i, config, asked)]);
  const normed = run.do(`${name}.ln_2`, "layer_norm", [x], { epsilon });
  return run.do(`${name}.residual_out`, "add", [x, mlpGPT(run, `${name}.mlp`, config, normed)]);
}

/** Every token asks (q), every token answers to some questions (k), and hands over something (v). */
function attentionGPT(run, i, config, x) {
  const name = `block.${i}.attn`;
  const { heads } = config;
  const q = run.do(`${name}.q`, "linear_to_heads", [x], { heads });
  const k = run.do(`${name}.k`, "linear_to_heads", [x], { heads });
  const v = run.do(`${name}.v`, "linear_to_heads", [x], { heads });
  let scores = run.do(`${name}.scores`, "attention_scores", [q, k]);
  const factor = scoresFactor(config, i);
  if (factor !== 1) scores = run.do(`${name}.scores.scaled`, "scale", [scores], { factor });
  const pattern = run.do(`${name}.pattern`, "causal_softmax", [scores]);
  const mix = run.do(`${name}.mix`, "attention_mix", [pattern, v]);
  return run.do(`${name}.out`, "linear_from_heads", [mix]);
}

/** What the scores of a block are multiplied by, beside the usual 1/√D. */
function scoresFactor({ width, heads, divided_by_root = true, divided_by_layer = false }, i) {
  const factor = divided_by_root ? 1 : Math.sqrt(Math.floor(width / heads));
  return divided_by_layer ? factor / (i + 1) : factor;
}

/** Each token on its own: many neurons, each bent by its activation function, summed back into the width. */
function mlpGPT(run, name, { activation = "gelu_new" }, x) {
  const up = run.do(`${name}.up`, "linear", [x]);
  const act = run.do(`${name}.act`, ACTIVATIONS[activation], [up]);
  return run.do(`${name}.down`, "linear", [act]);
}
