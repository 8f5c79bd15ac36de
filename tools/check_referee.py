#!/usr/bin/env python
"""Plants errors in runs, writes their activations as another program would, and asks the referee what is the matter.

    python tools/check_referee.py [--runs 600] [--seed 0]

Prints how often the right step is named first, how often the right cause, and every cause that was named wrongly. The errors are
written here in plain NumPy, by other code than the referee's own.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import llmtrace
from llmtrace.experiments.referee import judge
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops import Tensor
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run, Trace
from llmtrace.weights.gpt import GPT2

Planted = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], Any]
"""An error: operands, settings, the model's weights → the wrong result."""


def _linear(x: Any, w: Any, b: Any) -> Any:
    out = np.einsum("...k,kn->...n", x.astype(np.float64), w.astype(np.float64))
    return (out if b is None else out + b).astype(np.float32)


def _to_heads(out: Any, heads: int) -> Any:
    *lead, t, c = out.shape
    return out.reshape(*lead, t, heads, c // heads).swapaxes(-2, -3)


def _half(x: Any) -> Any:
    return np.asarray(x, np.float32).astype(np.float16).astype(np.float32)


def _brain(x: Any) -> Any:
    import math

    def one(v: float) -> float:
        if v == 0 or not math.isfinite(v):
            return v
        m, e = math.frexp(v)
        return math.ldexp(round(m * 256), e - 8)  # Python rounds ties to even

    return np.vectorize(one, otypes=[np.float32])(x)


def _heads(o: Any, s: Any) -> Any:
    return _to_heads(_linear(o["x"], o["weight"], o["bias"]), s["heads"])


def _of(weights: Any, layer: str) -> Any:
    return {"weight": weights[f"{layer}.weight"], "bias": weights[f"{layer}.bias"]}


def _norm(o: Any, s: Any, **how: Any) -> Any:
    x = o["x"].astype(np.float64)
    centred = x if how.get("rms") else x - x.mean(-1, keepdims=True)
    var = (centred**2).sum(-1, keepdims=True) / (x.shape[-1] - how.get("less", 0))
    eps = how.get("eps", s["epsilon"])
    root = var**0.5 + eps if how.get("outside") else (var + eps) ** 0.5
    out = centred / root
    out = (
        out
        if how.get("bare")
        else out * (1 if how.get("no_gain") else o["gain"]) + (0 if how.get("no_bias") else o["bias"])
    )
    return out.astype(np.float32)


def _scores(o: Any, divide: float, extra: int = 0, mask: float = -np.inf, swap: bool = False) -> Any:
    q, k = (o["k"], o["q"]) if swap else (o["q"], o["k"])
    out = (np.einsum("...td,...sd->...ts", q.astype(np.float64), k.astype(np.float64)) / divide).astype(np.float32)
    t, s = out.shape[-2:]
    hidden = np.triu(np.ones((t, s), bool), s - t + 1 + extra)
    out[..., hidden] = mask
    return out


def _gelu(x: Any, form: str) -> Any:
    import math

    wide = x.astype(np.float64)
    if form == "erf":
        return (0.5 * wide * (1 + np.vectorize(math.erf, otypes=[float])(wide / 2**0.5))).astype(np.float32)
    if form == "sigmoid":
        return (wide / (1 + np.exp(-1.702 * wide))).astype(np.float32)
    return np.where(x > 0, x, 0) if form == "relu" else x


def _root(o: Any) -> float:
    return float(o["q"].shape[-1]) ** 0.5


ERRORS: list[tuple[str, str, str, Planted]] = [
    # op, a part of the step's name, what the cause must say, the error
    ("layer_norm", "", "outside of the root", lambda o, s, w: _norm(o, s, outside=True)),
    ("layer_norm", "", "C − 1", lambda o, s, w: _norm(o, s, less=1)),
    ("layer_norm", "", "RMS norm", lambda o, s, w: _norm(o, s, rms=True)),
    ("layer_norm", "", "gain and bias left out", lambda o, s, w: _norm(o, s, bare=True)),
    ("layer_norm", "", "the bias left out", lambda o, s, w: _norm(o, s, no_bias=True)),
    ("layer_norm", "", "the gain left out", lambda o, s, w: _norm(o, s, no_gain=True)),
    ("attention_scores", "", "not divided by √D", lambda o, s, w: _scores(o, 1.0)),
    ("attention_scores", "", "divided by D instead", lambda o, s, w: _scores(o, _root(o) ** 2)),
    ("attention_scores", "", "one later key", lambda o, s, w: _scores(o, _root(o), 1)),
    ("attention_scores", "", "hides the query's own", lambda o, s, w: _scores(o, _root(o), -1)),
    ("attention_scores", "", "no mask", lambda o, s, w: _scores(o, _root(o), 999)),
    ("attention_scores", "", "−10,000", lambda o, s, w: _scores(o, _root(o), 0, -1e4)),
    ("attention_scores", "", "q and k taken for each other", lambda o, s, w: _scores(o, _root(o), swap=True)),
    ("causal_softmax", "", "along the queries", lambda o, s, w: _columns(o["x"])),
    ("causal_softmax", "", "powers of 2", lambda o, s, w: _power(o["x"], 2.0)),
    ("gelu_tanh", "", "the erf form", lambda o, s, w: _gelu(o["x"], "erf")),
    ("gelu_tanh", "", "sigmoid(1.702", lambda o, s, w: _gelu(o["x"], "sigmoid")),
    ("gelu_tanh", "", "ReLU", lambda o, s, w: _gelu(o["x"], "relu")),
    ("gelu_tanh", "", "no activation", lambda o, s, w: o["x"]),
    ("linear_to_heads", "attn.q", "taken for each other", lambda o, s, w: _heads(o | _of(w, "attn.k"), s)),
    ("linear_to_heads", "attn.v", "the weight transposed", lambda o, s, w: _heads(o | {"weight": o["weight"].T}, s)),
    ("linear_to_heads", "", "the bias left out", lambda o, s, w: _heads(o | {"bias": None}, s)),
    ("linear_to_heads", "", "interleaved", lambda o, s, w: _apart(_linear(o["x"], o["weight"], o["bias"]), s["heads"])),
    ("linear", "mlp", "the bias left out", lambda o, s, w: _linear(o["x"], o["weight"], None)),
    ("linear", "mlp", "computed in float16", lambda o, s, w: _half(_linear(_half(o["x"]), _half(o["weight"]), _half(o["bias"])))),
    ("linear", "mlp", "weights rounded to bfloat16", lambda o, s, w: _linear(o["x"], _brain(o["weight"]), o["bias"])),
    ("linear", "mlp", "result rounded to float16", lambda o, s, w: _half(_exact(o["x"], o["weight"], o["bias"]))),
    ("linear", "mlp", "result rounded to bfloat16", lambda o, s, w: _brain(_exact(o["x"], o["weight"], o["bias"]))),
    ("linear_from_heads", "", "the bias left out", lambda o, s, w: _linear(_beside(o["x"]), o["weight"], None)),
    ("linear_from_heads", "", "heads in reversed order", lambda o, s, w: _linear(_beside(o["x"][::-1]), o["weight"], o["bias"])),
    ("attention_mix", "", "transposed", lambda o, s, w: np.einsum("hts,htd->hsd", o["pattern"], o["v"])),
    ("embedding", "embed.token", "too large", lambda o, s, w: np.take(o["weight"], o["ids"] + 1, 0, mode="clip")),
    ("embedding", "embed.position", "counted from 2", lambda o, s, w: np.take(o["weight"], o["ids"] + 2, 0, mode="clip")),
    ("add", "residual_mid", "residual stream is left out", lambda o, s, w: o["b"]),
    ("add", "residual_out", "nothing was added", lambda o, s, w: o["a"]),
    ("add", "embed", "subtracted", lambda o, s, w: o["a"] - o["b"]),
    ("add", "residual_out", "added twice", lambda o, s, w: o["a"] + o["b"] + o["b"]),
]  # fmt: skip


def _exact(x: Any, w: Any, b: Any) -> Any:
    """The one rule, in plain NumPy."""
    total = np.zeros((*x.shape[:-1], w.shape[1]), np.float32)
    for k in range(len(w)):
        total = total + x[..., k, None] * w[k]
    return total + b


def _apart(out: Any, heads: int) -> Any:
    *lead, t, c = out.shape
    return np.moveaxis(out.reshape(*lead, t, c // heads, heads), -1, -3)


def _beside(x: Any) -> Any:
    return np.moveaxis(x, -3, -2).reshape(*x.shape[:-3], x.shape[-2], -1)


def _power(x: Any, base: float) -> Any:
    e = base ** (x.astype(np.float64) - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype(np.float32)


def _columns(x: Any) -> Any:
    return np.moveaxis(_power(np.moveaxis(x, -1, -2), np.e), -1, -2)


class Wrong(Run):
    """A run of which one step is done wrongly, and everything after it goes on from that."""

    at = ""
    error: Any = None

    def do(self, name: str, op: Any, operands: Any, settings: Any, axes: Any = None) -> Tensor:
        """The op, or what stands for it."""
        made = super().do(name, op, operands, settings, axes)
        if name != self.at:
            return made
        arrays = {kind: None if x is None else x.data for kind, x in zip(op.tensors, operands, strict=True)}
        if settings.get("transposed"):
            arrays["weight"] = arrays["weight"].T
        beside = {n.removeprefix(name.rpartition(".attn.")[0] + "."): w.data for n, w in self.weights.items()}
        wrong = np.ascontiguousarray(self.error(arrays, settings, beside), made.data.dtype)
        assert self._trace is not None
        self._trace._arrays[name] = wrong
        return Tensor(name, wrong, made.axes)


def wrong_run(model: Any, ids: Any, at: str, error: Planted) -> dict[str, Any]:
    """All activations of a run in which one step is done wrongly."""
    trace = Trace(model.weights)
    with Wrong(model.weights, trace) as run:
        run.at, run.error = at, error
        run("probabilities", softmax, model._run(run, np.asarray(ids), None))
    return {name: trace.tensor(name) for name in trace}


def models(rng: np.random.Generator) -> list[Any]:
    """Two of random weights and the bundled one."""
    found = []
    for vocabulary, context, width, heads, blocks in [(50, 24, 24, 3, 2), (99, 32, 40, 5, 3)]:
        config = GPTConfig(vocabulary, context, width, heads, blocks, 4 * width)
        tensors = {
            name: (rng.standard_normal(shape) * 0.4 + (1 if "ln" in name and name.endswith("weight") else 0)).astype(
                np.float32
            )
            for name, shape in GPT2.shapes(config).items()
        }
        found.append(GPT(config, GPT2.weights(config, tensors, "random"), None, "random"))
    return [*found, llmtrace.load()]


def main() -> None:
    """Prints the shares; ends with 1 where a cause was named wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, found, wrong = np.random.default_rng(asked.seed), Counter[str](), Counter[str]()
    known = models(rng)
    for n in range(asked.runs):
        op, part, words, error = ERRORS[n % len(ERRORS)]
        model = known[(n // len(ERRORS)) % len(known)]
        ids = rng.integers(model.config.vocabulary - 1, size=int(rng.integers(4, 16)))
        trace = model.trace(ids.tolist())
        steps = [step.name for step in trace.steps if step.op == op and part in step.name and step.name != "logits"]
        at = steps[int(rng.integers(len(steps)))]
        first = judge(trace, wrong_run(model, ids, at, error)).first
        step, cause = first is not None and first.name == at, first.cause if first else ""
        found["step"] += step
        found["cause"] += step and words in cause
        if cause and not (step and words in cause):
            wrong[f"{words!r} at {op}: {cause!r} was named"] += 1
    shares = f"step {found['step'] / asked.runs:.1%}, cause {found['cause'] / asked.runs:.1%}"
    print(f"{asked.runs} runs, {len(ERRORS)} errors, {len(known)} models: {shares}")
    for text, count in wrong.items():
        print(f"named wrongly, {count} times: {text}")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
