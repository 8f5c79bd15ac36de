// Llama (Touvron et al. 2023, arXiv:2302.13971, arXiv:2307.09288), any size, and its kin: Mistral, Qwen2, SmolLM2.
// Letters: T tokens, C width of the residual stream, H heads of queries, G heads of keys and values, D features of a head,
// V vocabulary.

import { turns } from "./turns.js";

/** Tokens at positions, each a leaf of the run, → logits. */
export function forwardLlama(run, config, tokens, positions) {
  const pairs = config.head_size / 2;
  const [cosine, sine] = turns(positions.data, pairs, config.base);
  const turned = (name, data) => run.leaf(name, data, ["position", "pair"], [positions.data.length, pairs]);
  const angles = [turned("rotary.cosine", cosine), turned("rotary.sine", sine)];
  let x = run.do("embed", "embedding", [tokens], {}, "embed.token");
  for (let i = 0; i < config.blocks; i++) x = blockLlama(run, `block.${i}`, config, x, angles);
  x = run.do("ln_f", "rms_norm", [x], { epsilon: config.epsilon });
  return run.do("logits", "linear", [x], { transposed: true });
}

/** One block, pre-norm: the stream x flows on, and attention and the MLP each add to it. */
function blockLlama(run, name, config, x, angles) {
  const { epsilon } = config;
  const asked = run.do(`${name}.ln_1`, "rms_norm", [x], { epsilon });
  x = run.do(`${name}.residual_mid`, "add", [x, attentionLlama(run, `${name}.attn`, config, asked, angles)]);
  const normed = run.do(`${name}.ln_2`, "rms_norm", [x], { epsilon });
  return run.do(`${name}.residual_out`, "add", [x, mlpLlama(run, `${name}.mlp`, normed)]);
}

/** As in GPT-2, but questions and labels are turned by the angle of their place, and labels and values are shared. */
function attentionLlama(run, name, { heads, kv_heads, layout }, x, angles) {
  let q = run.do(`${name}.q`, "linear_to_heads", [x], { heads });
  let k = run.do(`${name}.k`, "linear_to_heads", [x], { heads: kv_heads });
  let v = run.do(`${name}.v`, "linear_to_heads", [x], { heads: kv_heads });
  const interleaved = layout === "interleaved";
  q = run.do(`${name}.q.rotated`, "rotate", [q, ...angles], { interleaved });
  k = run.do(`${name}.k.rotated`, "rotate", [k, ...angles], { interleaved });
  if (kv_heads !== heads) {
    const copies = heads / kv_heads;
    k = run.do(`${name}.k.shared`, "repeat_heads", [k], { copies });
    v = run.do(`${name}.v.shared`, "repeat_heads", [v], { copies });
  }
  const scores = run.do(`${name}.scores`, "attention_scores", [q, k]);
  const pattern = run.do(`${name}.pattern`, "causal_softmax", [scores]);
  const mix = run.do(`${name}.mix`, "attention_mix", [pattern, v]);
  return run.do(`${name}.out`, "linear_from_heads", [mix]);
}

/** Each token on its own (SwiGLU): what neurons say is multiplied by how far their gates are open, then summed back. */
function mlpLlama(run, name, x) {
  const act = run.do(`${name}.act`, "silu", [run.do(`${name}.gate`, "linear", [x])]);
  const product = run.do(`${name}.product`, "multiply", [act, run.do(`${name}.up`, "linear", [x])]);
  return run.do(`${name}.down`, "linear", [product]);
}
