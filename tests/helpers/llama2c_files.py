"""Files of llama2.c, written as its own export.py does, and run in plain NumPy as its own run.c does."""

import math
import struct

import numpy as np

SIZES = {"dim": 12, "hidden_dim": 20, "n_layers": 2, "n_heads": 3, "n_kv_heads": 3, "vocab_size": 7, "seq_len": 9}
"""A head of four features, each head with keys and values of its own."""


def header(**sizes):
    return struct.pack("<7i", *{**SIZES, **sizes}.values())


def shapes(**sizes):
    """The tensors in the order of the file, by the names that run.c has."""
    dim, hidden, layers, heads, kv, vocabulary, length = {**SIZES, **sizes}.values()
    keys = dim // heads * kv
    found = {
        "token_embedding_table": (abs(vocabulary), dim),
        "rms_att_weight": (layers, dim),
        "wq": (layers, dim, dim),
        "wk": (layers, keys, dim),
        "wv": (layers, keys, dim),
        "wo": (layers, dim, dim),
        "rms_ffn_weight": (layers, dim),
        "w1": (layers, hidden, dim),
        "w2": (layers, dim, hidden),
        "w3": (layers, hidden, dim),
        "rms_final_weight": (dim,),
        "freq_cis_real": (length, dim // heads // 2),
        "freq_cis_imag": (length, dim // heads // 2),
    }
    return found if vocabulary > 0 else {**found, "wcls": (-vocabulary, dim)}


def random_tensors(**sizes):
    """Random weights, and the cosines and sines that export.py writes."""
    rng = np.random.default_rng(0)
    found = {
        name: (0.4 * rng.standard_normal(shape) + (1 if name.startswith("rms") else 0)).astype(np.float32)
        for name, shape in shapes(**sizes).items()
    }
    length, half = found["freq_cis_real"].shape
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(half) / half)
    return {
        **found,
        "freq_cis_real": np.cos(angles).astype(np.float32),
        "freq_cis_imag": np.sin(angles).astype(np.float32),
    }


def content(tensors=None, **sizes):
    """The bytes of a file."""
    tensors = random_tensors(**sizes) if tensors is None else tensors
    return header(**sizes) + b"".join(tensors[name].tobytes() for name in shapes(**sizes))


def write(path, **sizes):
    path.write_bytes(content(**sizes))
    return path


def write_tokenizer(path, pieces, longest=None):
    """A tokenizer.bin of (text, score)."""
    raw = [(text if isinstance(text, bytes) else text.encode(), score) for text, score in pieces]
    longest = max((len(text) for text, _score in raw), default=0) if longest is None else longest
    entries = (struct.pack("<fi", score, len(text)) + text for text, score in raw)
    path.write_bytes(struct.pack("<I", longest) + b"".join(entries))
    return path


def norm(x, gain):
    return gain * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def logits(raw, ids):
    """The scores of all next tokens [position, vocabulary] in float64, from the bytes of a file, with its own table of turns."""
    sizes = dict(zip(SIZES, struct.unpack("<7i", raw[:28]), strict=True))
    w, place = {}, 28
    for name, shape in shapes(**sizes).items():
        count = math.prod(shape)
        w[name] = np.frombuffer(raw, "<f4", count, place).reshape(shape).astype(np.float64)
        place += 4 * count
    assert place == len(raw)
    count, heads, kv = len(ids), sizes["n_heads"], sizes["n_kv_heads"]
    size = sizes["dim"] // heads
    turn = (w["freq_cis_real"] + 1j * w["freq_cis_imag"])[:count, None]

    def turned(flat, heads):
        pairs = flat.reshape(count, heads, size // 2, 2)
        done = (pairs[..., 0] + 1j * pairs[..., 1]) * turn
        return np.stack([done.real, done.imag], axis=-1).reshape(count, heads, size)

    x = w["token_embedding_table"][ids]
    for i in range(sizes["n_layers"]):
        h = norm(x, w["rms_att_weight"][i])
        q, k = turned(h @ w["wq"][i].T, heads), turned(h @ w["wk"][i].T, kv)
        v = (h @ w["wv"][i].T).reshape(count, kv, size)
        k, v = (np.repeat(each, heads // kv, axis=1) for each in (k, v))
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(size)
        scores[:, ~np.tri(count, dtype=bool)] = -np.inf
        pattern = np.exp(scores - scores.max(-1, keepdims=True))
        pattern /= pattern.sum(-1, keepdims=True)
        x = x + np.einsum("hqk,khd->qhd", pattern, v).reshape(count, -1) @ w["wo"][i].T
        h = norm(x, w["rms_ffn_weight"][i])
        gate = h @ w["w1"][i].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ w["w3"][i].T)) @ w["w2"][i].T
    return norm(x, w["rms_final_weight"]) @ w.get("wcls", w["token_embedding_table"]).T


def hostile():
    """Contents of files that are refused, and what is the matter with them."""
    whole = content()
    for length in (1, 4, 8, 27, 28, 29, len(whole) // 2, len(whole) - 4, len(whole) - 1):
        yield f"cut off after {length}", whole[:length]
    for more in (1, 4, 1 << 20):
        yield f"{more} bytes too many", whole + bytes(more)
    for name in SIZES:
        for value in (0, -1, -7, 1, 1 << 16, (1 << 30) + 1, (1 << 31) - 1, -(1 << 31)):
            yield f"{name} = {value}", header(**{name: value}) + whole[28:]
    for value in (0, -1, 1 << 16, (1 << 31) - 1, -(1 << 31)):
        yield f"all {value}", struct.pack("<7i", *[value] * 7) + whole[28:]
    yield "zeros", bytes(4096)
    yield "sizes that overflow to those of the file", header(dim=1 << 16, n_heads=1 << 15, vocab_size=1 << 16)
    for dim, heads, kv in ((12, 5, 5), (12, 6, 4), (12, 12, 12), (12, 4, 4)):
        sizes = {"dim": dim, "n_heads": heads, "n_kv_heads": kv}
        body = sum(math.prod(shape) for shape in shapes(**sizes).values())
        yield f"{heads} heads that share {kv} of {dim} features", header(**sizes) + bytes(4 * body)
    many = {"dim": 2, "hidden_dim": 1, "n_layers": 60_000, "n_heads": 1, "n_kv_heads": 1}
    yield "many layers", content({name: np.zeros(shape, np.float32) for name, shape in shapes(**many).items()}, **many)
    for number in ("nan", "inf", "-inf"):
        tensors = random_tensors()
        tensors["w2"][1, 3, 5] = float(number)
        yield f"a weight that is {number}", content(tensors)
    for version in (0, 1, 2, 3, 0xFFFFFFFF):
        yield f"version {version}", struct.pack("<II", 0x616B3432, version) + whole
    yield "big-endian", struct.pack(">7i", *SIZES.values()) + whole[28:]
