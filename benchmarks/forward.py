"""Forward runs of a GPT-2 of 124 million random weights, against what this machine can do at most, and against others.

    python benchmarks/forward.py                                # 1 and 2 threads, 16 … 1,024 tokens
    python benchmarks/forward.py --tokens 16 64 --threads 2     # these only

Prefill: all logits of a prompt, keeping nothing, keeping the trace (all of it, or the residual stream alone), and by those
peers that are installed, by turns in one process: PyTorch and transformers (`pip install torch transformers`, CPU),
TransformerLens recording (`pip install 'transformer-lens>=4'`), onnxruntime (`pip install onnx onnxscript onnxruntime`, exported
from PyTorch).
Decode: the next token after 64.

The limit is the larger of two times: of all multiplications and additions at the rate at which so many threads multiply, then add
(every product is rounded, as the rule of arithmetic says, so nothing is fused), and of reading all weights once from memory. Both
rates are measured by turns with the contenders: processors may share a core, and machines are shared with others.
The targets: prefill at most 1.4 (16 tokens), 1.25 (64), 1.15 (256 and more) times the limit; decode at 90 % of the bandwidth.
"""

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from machine import Machine, measured
from recording import random_gpt

import llmtrace
from llmtrace.models import GPTConfig
from llmtrace.models.cache import KVCache
from llmtrace.weights.gpt import GPT2

CONFIG = GPTConfig(vocabulary=50257, context=1024, width=768, heads=12, blocks=12, hidden=3072)
TARGETS = {16: 1.4, 64: 1.25, 256: 1.15, 1024: 1.15}
PAST = 64
REST = 0.1
"""Seconds between two contenders: threads of others spin for a while."""


def operations(tokens):
    """Multiplications and additions of a run: of the weights, and of attention over the keys that are not masked."""
    c = CONFIG
    weights = c.blocks * (4 * c.width**2 + 2 * c.width * c.hidden) + c.width * c.vocabulary
    keys = tokens * (tokens + 1) // 2
    return 2 * tokens * weights + 2 * 2 * c.blocks * c.width * keys


def weight_bytes():
    """Bytes that every run reads: all weights but the positions'."""
    c = CONFIG
    return 4 * (c.blocks * (4 * c.width**2 + 2 * c.width * c.hidden) + c.width * c.vocabulary)


def limit(tokens, machine):
    """The least seconds that this machine could take."""
    return max(operations(tokens) / machine.peak, weight_bytes() / machine.bandwidth)


# ---- contenders: a name, and what makes the logits of some ids ------------------------------------------------------


def ours(model):
    def nothing_kept(ids):
        return model.logits(ids)

    def all_kept(ids):
        return model.trace(ids, keep="all")

    def stream_kept(ids):
        trace = model.trace(ids, keep="residual")
        return trace, trace.tensor("logits")

    return {"llmtrace": nothing_kept, "keep all": all_kept, "keep residual": stream_kept}


def peers(model, wanted, threads):
    """Those of the peers that are installed; what is missing is said."""
    found = {}
    for name, make in (("transformers", transformers_peer), ("TransformerLens", lens_peer), ("onnxruntime", onnx_peer)):
        if name not in wanted:
            continue
        try:
            found |= make(model, threads)
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def peer_sizes():
    """The sizes as transformers calls them."""
    c = CONFIG
    return {
        "vocab_size": c.vocabulary,
        "n_positions": c.context,
        "n_embd": c.width,
        "n_layer": c.blocks,
        "n_head": c.heads,
    }


def transformers_peer(model, _threads):
    import torch
    import transformers

    c = CONFIG
    settings = transformers.GPT2Config(**peer_sizes())
    found = {}
    for name, attention in (("PyTorch sdpa", "sdpa"), ("eager", "eager")):
        settings._attn_implementation = attention
        peer = transformers.GPT2LMHeadModel._from_config(settings, attn_implementation=attention).eval()
        stored = {n: torch.from_numpy(a.copy()) for n, a in GPT2.tensors(c, model.weights).items()}
        peer.load_state_dict(stored, strict=False)
        peer.tie_weights()
        found[name] = _transformers_run(peer)
    return found


def _transformers_run(peer):
    import torch

    def run(ids):
        with torch.inference_mode():
            return peer(torch.from_numpy(np.asarray(ids)[None]), use_cache=False).logits[0].numpy()

    return run


def lens_peer(_model, _threads):
    """Recording everything; a folder with the configuration and a tokenizer of one word is what the package wants to see."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models
    from transformer_lens.model_bridge import TransformerBridge

    settings = transformers.GPT2Config(**peer_sizes(), architectures=["GPT2LMHeadModel"])
    peer = transformers.GPT2LMHeadModel._from_config(settings, attn_implementation="eager").eval()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        settings.save_pretrained(folder)
        word = Tokenizer(models.WordLevel({"w": 0}, "w"))
        special = dict.fromkeys(("unk_token", "bos_token", "eos_token", "pad_token"), "w")
        transformers.PreTrainedTokenizerFast(tokenizer_object=word, **special).save_pretrained(folder)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        peer = TransformerBridge.boot_transformers(folder, hf_model=peer, tokenizer=tokenizer, device="cpu")

    def run(ids):
        with torch.inference_mode():
            return peer.run_with_cache(torch.from_numpy(np.asarray(ids)[None]))

    return {"TransformerLens": run}


def onnx_peer(_model, threads):
    import onnxruntime
    import torch
    import transformers

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.peer = transformers.GPT2LMHeadModel._from_config(settings, attn_implementation="eager")

        def forward(self, ids):
            return self.peer(ids, use_cache=False).logits

    settings = transformers.GPT2Config(**peer_sizes(), use_cache=False)
    path = Path(tempfile.mkdtemp(), "gpt2.onnx")
    ids = torch.zeros(1, 16, dtype=torch.int64)
    length = torch.export.Dim("T", min=2, max=CONFIG.context)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Logits().eval(),
            (ids,),
            str(path),
            input_names=["ids"],
            output_names=["logits"],
            dynamic_shapes={"ids": {1: length}},
            dynamo=True,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options)
    return {"onnxruntime": lambda ids: session.run(["logits"], {"ids": np.asarray(ids, np.int64)[None]})[0][0]}


# ---- measuring ------------------------------------------------------------------------------------------------------


def by_turns(contenders, ids, rounds, machine):
    """The seconds of every contender, in turns with the machine's measurements, each turn beginning with another one.

    What counts is the second of two, of runs and of measurements: after a rest, processors need some milliseconds until they
    compute and read as fast as they can.
    """
    times = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(rounds):
        time.sleep(REST)
        Machine(machine.threads).measure()
        machine.measure()
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            time.sleep(REST)
            for _again in range(2):
                begin = time.perf_counter()
                kept = contenders[name](ids)
                seconds = time.perf_counter() - begin
                del kept
            times[name].append(seconds)
    return times


def decoding(model, rounds, machine):
    """The seconds of the next token after `PAST`, keeping nothing."""
    ids = np.arange(PAST) * 7
    times = []
    for _ in range(rounds):
        cache = KVCache()
        machine.measure()
        model.logits(ids, cache)
        for step in range(4):
            begin = time.perf_counter()
            model.logits([step], cache)
            times.append(time.perf_counter() - begin)
    return times


def agree(contenders, ids):
    """The peers that keep nothing else compute the same model, within rounding."""
    mine = contenders["llmtrace"](ids)
    for name in ("PyTorch sdpa", "eager"):
        if name in contenders:
            far = float(np.abs(contenders[name](ids) - mine).max())
            assert far < 1e-3, f"{name} gives other logits: {far}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--tokens", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", nargs="*", default=["transformers", "TransformerLens", "onnxruntime"])
    options = parser.parse_args()
    model = random_gpt(CONFIG)
    missed = []
    for threads in options.threads:
        llmtrace.set_threads(threads)
        with contextlib.suppress(ImportError):
            import torch

            torch.set_num_threads(threads)
        contenders = ours(model) | peers(model, options.peers, threads)
        agree(contenders, np.arange(5) * 7)
        print(measured(threads))
        print(f"{'tokens':>7} {'limit ms':>9} " + " ".join(f"{name:>16}" for name in contenders))
        for tokens in options.tokens:
            machine = Machine(threads)
            times = by_turns(contenders, np.arange(tokens) * 7 % CONFIG.vocabulary, options.rounds, machine)
            least = limit(tokens, machine)
            middle = {name: statistics.median(each) for name, each in times.items()}
            cells = (f"{each * 1e3:8.1f} ({each / least:4.2f} ×)" for each in middle.values())
            print(f"{tokens:>7} {least * 1e3:>9.1f} " + " ".join(f"{cell:>16}" for cell in cells), flush=True)
            if tokens in TARGETS and middle["llmtrace"] > TARGETS[tokens] * least:
                missed.append(f"{tokens} tokens, {threads} threads: {middle['llmtrace'] / least:.2f} × the limit")
        machine = Machine(threads)
        taken = statistics.median(decoding(model, options.rounds, machine))
        least = weight_bytes() / machine.bandwidth
        print(f"decode after {PAST}: {taken * 1e3:.1f} ms, {least / taken:.0%} of the bandwidth\n", flush=True)
        if least / taken < 0.9:
            missed.append(f"decode, {threads} threads: {least / taken:.0%} of the bandwidth")
    print("All targets met." if not missed else "Targets missed:\n  " + "\n  ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
