"""A reader of trace files, written from docs/trace-file.md and docs/arithmetic.md; it imports nothing of llmtrace."""

import hashlib
import json

import numpy as np


def read(path):  # (what the file says of itself, name → tensor); ValueError where the seal or a checksum does not fit
    file = np.fromfile(path, np.uint8).tobytes()
    start = 8 + int.from_bytes(file[:8], "little")
    if hashlib.sha256(file[:start]).digest() != file[-32:]:
        raise ValueError("the header does not fit the seal")
    header = json.loads(file[8:start])
    about, _ = json.loads(header.pop("__metadata__")["llmtrace"]), header.pop("seal")
    data = {n: file[start + h["data_offsets"][0] : start + h["data_offsets"][1]] for n, h in header.items()}
    sums = {n: [hashlib.sha256(d[i : i + 2**20]).hexdigest() for i in range(0, len(d), 2**20)] for n, d in data.items()}
    if about["version"] != 2 or sums != about["sha256"]:
        raise ValueError("the version is not 2, or a tensor does not fit its checksums")
    types = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    return about, {n: np.frombuffer(data[n], types[h["dtype"]]).reshape(h["shape"]) for n, h in header.items()}


def dot(a, b=None, seen=True):  # Σ a·b from left to right, without b Σ a; what is not seen is skipped
    b = np.ones((a.shape[-1], 1), a.dtype) if b is None else b
    out = np.zeros((*a.shape[:-1], b.shape[-1]), a.dtype)
    for k in range(a.shape[-1]):
        np.add(out, a[..., k, None] * b[..., k, None, :], out=out, where=np.broadcast_to(seen, a.shape)[..., k, None])
    return out


def causal(x, otherwise):  # x where the query sees the key
    return np.where(np.tri(*x.shape[-2:], x.shape[-1] - x.shape[-2], dtype=bool), x, otherwise)


def softmax(x):
    return (e := np.float32(np.exp(x - x.max(-1, keepdims=True), dtype="d"))) / dot(e)


OPS = {  # op → its function of inputs, weights and settings
    "embedding": lambda ids, table: table[ids],
    "concatenate": lambda past, new: np.concatenate([past, new], -2),
    "add": np.add,
    "layer_norm": lambda x, g, b, epsilon: (d := x - dot(x) / len(g)) / np.sqrt(dot(d * d) / len(g) + epsilon) * g + b,
    "linear": lambda x, w, b, transposed=False: dot(x, w.T if transposed else w) + b,
    "linear_to_heads": lambda x, w, b, heads: (dot(x, w) + b).reshape(*x.shape[:-1], heads, -1).swapaxes(-2, -3),
    "linear_from_heads": lambda x, w, b: dot(x.swapaxes(-2, -3).reshape(*x.shape[:-3], x.shape[-2], -1), w) + b,
    "attention_scores": lambda q, k: causal(dot(q, k.swapaxes(-1, -2)) / q.shape[-1] ** 0.5, -np.inf),
    "causal_softmax": lambda scores: causal(softmax(scores), 0),
    "attention_mix": lambda pattern, v: dot(pattern, v, causal(np.ones_like(pattern, bool), False)),
    "softmax": softmax,
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.float32(np.tanh(0.79788456 * (x + 0.044715 * (x * x * x)), dtype="d"))),
    "argmax": lambda x: x.argmax(-1),
}


def recompute(step, tensors):  # a weight that is not there is −0, which added to a number leaves its bits alone
    weights = [-0.0 if name is None else tensors["weight:" + name] for name in step["weights"]]
    return OPS[step["op"]](*(tensors[name] for name in step["inputs"]), *weights, **step["settings"])
