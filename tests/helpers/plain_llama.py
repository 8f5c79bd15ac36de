"""A Llama in plain NumPy, float64, straight from a GGUF file by the package of its own makers: what ours is compared with."""

import numpy as np
from gguf import GGUFReader, dequantize


class PlainLlama:
    """The weights of a file, and its numbers."""

    def __init__(self, path):
        reader = GGUFReader(path)
        self.stored = {t.name: t for t in reader.tensors}
        self.of = lambda name: reader.fields[f"llama.{name}"].contents()
        self.heads, self.kv = self.of("attention.head_count"), self.of("attention.head_count_kv")
        self.size = self.of("embedding_length") // self.heads

    def __getitem__(self, name):
        stored = self.stored[name]
        return dequantize(stored.data, stored.tensor_type).astype(np.float64)

    def norm(self, x, name):
        root = np.sqrt((x * x).mean(-1, keepdims=True) + self.of("attention.layer_norm_rms_epsilon"))
        return x / root * self[f"{name}.weight"]

    def turned(self, x, layout):
        """Rotary positions of [position, head, feature]: pairs that lie side by side, or half a head apart."""
        angles = np.arange(len(x))[:, None] * self.of("rope.freq_base") ** (-np.arange(0, self.size, 2) / self.size)
        cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
        half = self.size // 2
        first, second = (
            (slice(0, None, 2), slice(1, None, 2)) if layout == "interleaved" else (slice(half), slice(half, None))
        )
        out = np.empty_like(x)
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., second] * cos + x[..., first] * sin
        return out

    def logits(self, ids, layout="interleaved"):
        """The scores of all next tokens, [position, vocabulary]."""
        w, count = self, len(ids)
        x = w["token_embd.weight"][ids]
        for block in range(self.of("block_count")):
            b = f"blk.{block}"
            h = self.norm(x, f"{b}.attn_norm")
            q = self.turned((h @ w[f"{b}.attn_q.weight"].T).reshape(count, self.heads, self.size), layout)
            k = self.turned((h @ w[f"{b}.attn_k.weight"].T).reshape(count, self.kv, self.size), layout)
            v = (h @ w[f"{b}.attn_v.weight"].T).reshape(count, self.kv, self.size)
            k, v = (np.repeat(each, self.heads // self.kv, axis=1) for each in (k, v))
            scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(self.size)
            scores[:, ~np.tri(count, dtype=bool)] = -np.inf
            pattern = np.exp(scores - scores.max(-1, keepdims=True))
            pattern /= pattern.sum(-1, keepdims=True)
            x = x + np.einsum("hqk,khd->qhd", pattern, v).reshape(count, -1) @ w[f"{b}.attn_output.weight"].T
            h = self.norm(x, f"{b}.ffn_norm")
            gate = h @ w[f"{b}.ffn_gate.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ w[f"{b}.ffn_up.weight"].T)) @ w[f"{b}.ffn_down.weight"].T
        return (
            self.norm(x, "output_norm")
            @ w["output.weight" if "output.weight" in self.stored else "token_embd.weight"].T
        )


def perplexity(logits, ids):
    """Of the tokens behind the first, from scores of any type."""
    logits = np.asarray(logits, np.float64)[:-1]
    top = logits.max(-1)
    losses = top + np.log(np.exp(logits - top[:, None]).sum(-1)) - logits[np.arange(len(ids) - 1), ids[1:]]
    return float(np.exp(losses.mean()))
