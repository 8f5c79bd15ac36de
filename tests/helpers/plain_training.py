"""A GPT and its whole training in plain NumPy and float64, by the textbook: what llmtrace.training must agree with."""

import math
from functools import partial

import numpy as np

from llmtrace import rng

TOKENS, PLACES = "embed.token.weight", "embed.position.weight"


def norm(x, gain, bias):
    d = x - x.mean(-1, keepdims=True)
    root = np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)
    return d / root * gain + bias, (d / root, root, gain)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def bent(x):
    return np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def bent_slope(x):
    return (1 - bent(x) ** 2) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)


class Net:
    """Linear layers and norms by name, forward and backward; `g` gathers the gradients."""

    def __init__(self, w, heads):
        self.w, self.heads = w, heads
        self.g = {name: np.zeros_like(weight) for name, weight in w.items()}

    def linear(self, name, x):
        return x @ self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def linear_back(self, name, x, dout):
        self.g[f"{name}.weight"] += np.einsum("btk,btn->kn", x, dout)
        self.g[f"{name}.bias"] += dout.sum((0, 1))
        return dout @ self.w[f"{name}.weight"].T

    def normed(self, name, x):
        return norm(x, self.w[f"{name}.gain"], self.w[f"{name}.bias"])

    def norm_back(self, name, saved, dout):
        n, size, gain = saved
        self.g[f"{name}.gain"] += (dout * n).sum((0, 1))
        self.g[f"{name}.bias"] += dout.sum((0, 1))
        e = dout * gain
        return (e - e.mean(-1, keepdims=True) - n * (e * n).mean(-1, keepdims=True)) / size

    def dealt(self, x):
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(0, 2, 1, 3)

    def gathered(self, x):
        x = x.transpose(0, 2, 1, 3)
        return x.reshape(*x.shape[:2], -1)


def loss_and_gradients(w, ids, targets, heads, blocks, mask):
    """The mean loss of a batch and its gradient for each weight; `mask(name, shape)` is what dropout multiplies with."""
    net, (batch, length), width = Net(w, heads), ids.shape, w[TOKENS].shape[1]
    g, root = net.g, math.sqrt(width // heads)

    # forward
    first = mask("embed.dropout", (batch, length, width))
    x, kept = (w[TOKENS][ids] + w[PLACES][:length]) * first, []
    for i in range(blocks):
        b = f"block.{i}"
        read, norm_1 = net.normed(f"{b}.ln_1", x)
        q, k, v = (net.dealt(net.linear(f"{b}.attn.{c}", read)) for c in "qkv")
        p = softmax(np.where(np.tri(length, dtype=bool), q @ k.swapaxes(-1, -2) / root, -np.inf))
        drops = [
            mask(f"{b}.{name}", y.shape)
            for name, y in (("attn.pattern.dropout", p), ("attn.dropout", x), ("mlp.dropout", x))
        ]
        mix = net.gathered((p * drops[0]) @ v)
        x = x + net.linear(f"{b}.attn.out", mix) * drops[1]
        again, norm_2 = net.normed(f"{b}.ln_2", x)
        up = net.linear(f"{b}.mlp.up", again)
        act = 0.5 * up * (1 + bent(up))
        x = x + net.linear(f"{b}.mlp.down", act) * drops[2]
        kept.append((b, read, norm_1, q, k, v, p, drops, mix, again, norm_2, up, act))
    last, norm_f = net.normed("ln_f", x)
    shares = softmax(last @ w[TOKENS].T)  # the table that reads tokens in scores them, too
    at_target = np.eye(len(w[TOKENS]))[targets]
    loss = -np.log((shares * at_target).sum(-1)).mean()

    # backward, the same lines from below
    dlogits = (shares - at_target) / ids.size
    g[TOKENS] += np.einsum("btv,btc->vc", dlogits, last)
    dx = net.norm_back("ln_f", norm_f, dlogits @ w[TOKENS])
    for b, read, norm_1, q, k, v, p, drops, mix, again, norm_2, up, act in reversed(kept):
        dact = net.linear_back(f"{b}.mlp.down", act, dx * drops[2])
        dup = dact * (0.5 * (1 + bent(up)) + 0.5 * up * bent_slope(up))
        dx = dx + net.norm_back(f"{b}.ln_2", norm_2, net.linear_back(f"{b}.mlp.up", again, dup))
        dmix = net.dealt(net.linear_back(f"{b}.attn.out", mix, dx * drops[1]))
        dp, dv = (dmix @ v.swapaxes(-1, -2)) * drops[0], (p * drops[0]).swapaxes(-1, -2) @ dmix
        dscores = p * (dp - (dp * p).sum(-1, keepdims=True)) / root
        parts = {"q": dscores @ k, "k": dscores.swapaxes(-1, -2) @ q, "v": dv}
        dread = sum(net.linear_back(f"{b}.attn.{c}", read, net.gathered(part)) for c, part in parts.items())
        dx = dx + net.norm_back(f"{b}.ln_1", norm_1, dread)
    np.add.at(g[TOKENS], ids, dx * first)
    g[PLACES][:length] += (dx * first).sum(0)
    return loss, g


def dropped(rate, seed, name, shape):
    u = rng.uniform(rng.derive(seed, name), np.arange(math.prod(shape))).reshape(shape)
    return (u >= rate) / (1 - rate)


def train(w, batches, heads, blocks, s):
    """The weights and losses after one step for each batch, by settings s."""
    w, memory, losses = dict(w), dict.fromkeys(w, (0.0, 0.0)), []
    for t, (ids, targets) in enumerate(batches, 1):
        mask = partial(dropped, s.dropout, rng.derive(s.seed, "dropout", t - 1))
        loss, g = loss_and_gradients(w, ids, targets, heads, blocks, mask)
        losses.append(loss)
        length = math.sqrt(sum((x * x).sum() for x in g.values()))
        share = (t - 1 - s.warmup) / max(1, s.steps - 1 - s.warmup)
        falling = s.last_rate + (1 - s.last_rate) * (1 + math.cos(math.pi * share)) / 2
        rate = s.rate * (t / s.warmup if t <= s.warmup else falling)
        for name, x in w.items():
            d = g[name] * min(1.0, s.clip / length)
            decay = s.decay * (x.ndim > 1)
            d = d + (s.l2 + (0 if s.optimiser == "adamw" else decay)) * x + s.l1 * np.sign(x)
            m, v = memory[name]
            if s.optimiser == "sgd":
                m = s.momentum * m + d
                w[name] = x - rate * m
            else:
                m, v = s.momentum * m + (1 - s.momentum) * d, s.square_keep * v + (1 - s.square_keep) * d * d
                step = m / (1 - s.momentum**t) / (np.sqrt(v / (1 - s.square_keep**t)) + s.epsilon)
                w[name] = x - rate * step - (rate * decay * x if s.optimiser == "adamw" else 0)
            memory[name] = m, v
    return w, losses
