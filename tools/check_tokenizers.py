"""Compares our tokenizer with `tiktoken` and `tokenizers` on generated texts of all kinds. For development only.

    python -m pip install tiktoken tokenizers
    python tools/check_tokenizers.py FOLDER [--count 100000] [--seed 0]

FOLDER holds GPT-2's encoder.json and vocab.bpe, or vocab.json and merges.txt. First it says which Unicode each library
knows, and how many characters one counts among letters, numbers or spaces and another does not. Then it encodes and
decodes the texts with all three. A disagreement about a text that holds such a character counts as "Unicode", any other
as "unexplained". The same vocabulary is then cut by other rules than GPT-2's, through a tokenizer.json that our `save`
wrote, and a tokenizer of characters is compared with `tokenizers` too.
Exit code 1 if anything is unexplained.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import regex
import tiktoken
import tokenizers
from tokenizers import pre_tokenizers

from llmtrace.tokenizers import ByteLevelBPE, CharacterTokenizer, load_tokenizer
from llmtrace.tokenizers.byte_symbols import bytes_of
from llmtrace.tokenizers.splitting import GPT2_PATTERN, Splitter

CLASSES = (r"\p{L}", r"\p{N}", r"\s")
# The first letter that each version of Unicode brought.
AGES = {
    "13.0": 0x10E80,
    "14.0": 0x10570,
    "15.0": 0x11F04,
    "15.1": 0x2EBF0,
    "16.0": 0x105C0,
    "17.0": 0x10940,
    "18.0": 0x3D000,
}
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
LLAMA3 += r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
RULES: dict[str, dict[str, Any]] = {
    "Llama 3": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False},
            BYTES,
        ],
    },
    "single digits": {
        "type": "Sequence",
        "pretokenizers": [{"type": "Digits", "individual_digits": True}, {**BYTES, "use_regex": True}],
    },
    "a space in front": {**BYTES, "add_prefix_space": True, "use_regex": True},
    "no cutting": BYTES,
}
SPACES = [chr(c) for c in (*range(9, 14), 0x1C, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x180E, *range(0x2000, 0x2010))]
SPACES += [chr(c) for c in (0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)]
CODE = [
    "def f(x):\n    return x**2\n",
    "if (a != b) { c++; }\n\t",
    "0x1F",
    "/* ** */",
    "a_b.c->d[3]",
    "#include <x.h>\n",
    "λ x → y",
    "===",
]
WORDS = [
    "the",
    "The",
    "king",
    "Hello,",
    "I am",
    "can't",
    "we'll",
    "they've",
    "I'd",
    "it's",
    "'S",
    "'",
    "''re",
    "don’t",
    "naïve",
    "œuvre",
]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "👍🏽", "🇨🇭", "🏳️‍🌈", "❤️", "1️⃣", "🧑🏿‍🚀", "☃", "🫠"]
SCRIPTS = [
    "中文",
    "汉字漢字",
    "日本語ひらがな",
    "한국어",
    "العَرَبِيَّة",
    "עִבְרִית",
    "हिन्दी",
    "क्षि",
    "ไทย",
    "தமிழ்",
    "Ελληνικά",
    "Русский",
    "e\u0301",
    "①Ⅳ½",
    "٣٤",
    "१२",
    "𝟘𝟙",
]
SPECIAL = ["<|endoftext|>", "<|endof", "text|>", "<|im_start|>", "</s>", "[PAD]"]


def random_character(random: random.Random) -> str:
    plane = random.choice([0, 0, 0, 1, 1, 2, 3, 14, 15, 16])
    code = plane * 0x10000 + random.randrange(0x10000)
    return chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"


def make_text(random: random.Random) -> str:
    """A text of one to a dozen parts, each of any kind; now and then one long run."""
    kinds: list[Callable[[], str]] = [
        lambda: random.choice(WORDS),
        lambda: " " + random.choice(WORDS),
        lambda: random.choice(CODE),
        lambda: "".join(random.choices(EMOJI, k=random.randrange(1, 4))),
        lambda: random.choice(SCRIPTS),
        lambda: "".join(random.choices(SPACES, k=random.randrange(1, 6))),
        lambda: random.choice([" ", "\n", "\r\n", "\t", "\u3000"]) * random.randrange(1, 20),
        lambda: "".join(chr(random.randrange(32)) for _ in range(random.randrange(1, 4))),
        lambda: str(random.randrange(10 ** random.randrange(1, 12))),
        lambda: random.choice(SPECIAL),
        lambda: "".join(random_character(random) for _ in range(random.randrange(1, 6))),
        lambda: "".join(chr(random.randrange(0x20, 0x250)) for _ in range(random.randrange(1, 9))),
        lambda: "".join(chr(random.randrange(33, 127)) for _ in range(random.randrange(1, 9))),
    ]
    if random.random() < 0.01:
        return random.choice(["a", " ", "^", "😀", "=", "\n", "中", "ab", "0", "e\u0301"]) * random.randrange(50, 2000)
    return "".join(random.choice(kinds)() for _ in range(random.randrange(1, 12)))


def members(everything: str) -> dict[str, dict[str, set[str]]]:
    """For each library and class: the characters that the library counts to the class."""
    found: dict[str, dict[str, set[str]]] = {"regex (ours)": {}, "tiktoken": {}, "tokenizers": {}}
    ranks = {bytes([byte]): byte for byte in range(256)}
    for name in CLASSES:
        found["regex (ours)"][name] = set(regex.findall(name, everything))
        encoding = tiktoken.Encoding("class", pat_str=name, mergeable_ranks=ranks, special_tokens={})
        # tiktoken leaves out what its pattern does not match.
        found["tiktoken"][name] = set(encoding.decode(encoding.encode(everything)))
        split = pre_tokenizers.Split(tokenizers.Regex(name), "removed", invert=True)
        found["tokenizers"][name] = {piece for piece, _ in split.pre_tokenize_str(everything)}
    return found


def unicode_report() -> set[str]:
    """Prints how the libraries differ about characters, and returns those they differ about."""
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    found = members(everything)
    odd: set[str] = set()
    for library, classes in found.items():
        version = max(
            (v for v, code in AGES.items() if chr(code) in classes[CLASSES[0]]), key=float, default="before 13"
        )
        print(f"{library:13} Unicode {version}:", ", ".join(f"{len(c):,} {name}" for name, c in classes.items()))
    for name in CLASSES:
        sets = [classes[name] for classes in found.values()]
        differing = set.union(*sets) - set.intersection(*sets)
        odd |= differing
        sample = " ".join(f"U+{ord(c):04X}" for c in sorted(differing)[:8])
        print(f"{name}: the libraries differ about {len(differing):,} characters  {sample}")
    return odd


def compare(texts: list[str], ours: ByteLevelBPE, others: dict[str, Any], odd: set[str]) -> Counter[str]:
    """Counts disagreements by library, direction and cause, and prints the first few that are unexplained."""
    causes: Counter[str] = Counter()
    for text in texts:
        ids = ours.encode(text)
        if ours.decode(ids).removeprefix(" " if ours.splitter.adds_space else "") not in {text, text.removeprefix(" ")}:
            causes["ours does not come back · unexplained"] += 1
        cut = random.Random(len(text)).randrange(len(ids) + 1)
        for name, (encode, decode) in others.items():
            cause = "Unicode" if odd.intersection(text) else "unexplained"
            for what, mine, theirs in (
                ("encode", ids, encode(text)),
                ("decode", ours.decode(ids[cut:]), decode(ids[cut:])),
            ):
                if mine != theirs:
                    causes[f"{name} {what} · {cause if what == 'encode' else 'unexplained'}"] += 1
                    if "unexplained" in (cause, what) and causes.total() < 20:
                        print(f"  {name} {what}: {text!r}\n    ours   {mine!r}\n    theirs {theirs!r}")
    return causes


def their_tokenizers(tokenizer: ByteLevelBPE, pattern: str | None) -> dict[str, Any]:
    """What the other libraries do to encode and to decode; tiktoken only where the rule is one pattern."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = tokenizers.Tokenizer.from_file(str(tokenizer.save(folder)))
        again = load_tokenizer(folder)
        assert isinstance(again, ByteLevelBPE)
        assert vars(again)["_symbols"] == vars(tokenizer)["_symbols"]
    theirs.encode_special_tokens = True
    found = {
        "tokenizers": (lambda text: theirs.encode(text).ids, lambda ids: theirs.decode(ids, skip_special_tokens=False))
    }
    if pattern:
        ranks = {bytes_of(text): i for text, i in tokenizer.vocabulary.items() if text not in tokenizer.special}
        encoding = tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens=tokenizer.special)
        found["tiktoken"] = (lambda text: encoding.encode(text, disallowed_special=()), encoding.decode)
    return found


def compare_characters() -> Counter[str]:
    """A tokenizer of characters against what `tokenizers` makes of its file."""
    ours = CharacterTokenizer({character: i for i, character in enumerate("AB e\u0301é中\n😀Ġ")})
    with tempfile.TemporaryDirectory() as folder:
        theirs = tokenizers.Tokenizer.from_file(str(ours.save(folder)))
    texts = ["".join(random.Random(seed).choices("AB e\u0301é中\n😀Ġ", k=seed % 20)) for seed in range(1000)]
    wrong = sum(
        (theirs.encode(t).ids, theirs.decode(theirs.encode(t).ids)) != (ours.encode(t), ours.decode(ours.encode(t)))
        for t in texts
    )
    return Counter({"characters · unexplained": wrong} if wrong else {})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ours = load_tokenizer(arguments.folder)
    assert isinstance(ours, ByteLevelBPE)
    odd = unicode_report()
    generator = random.Random(arguments.seed)
    texts = [make_text(generator) for _ in range(arguments.count)]
    print(f"{len(texts):,} texts, {len(set(texts)):,} different, {sum(map(len, texts)):,} characters")
    print(f"{sum(bool(odd.intersection(t)) for t in texts):,} hold a character that the libraries differ about")
    causes = compare(texts, ours, their_tokenizers(ours, GPT2_PATTERN), odd)
    print("GPT-2:", dict(causes) or "no disagreement")
    for name, rule in RULES.items():
        cut = ByteLevelBPE(ours.vocabulary, ours.merges, Splitter(rule), special=ours.special)
        part = texts[: len(texts) // 5]
        more = compare(part, cut, their_tokenizers(cut, LLAMA3 if name == "Llama 3" else None), odd)
        print(f"{name}, {len(part):,} texts:", dict(more) or "no disagreement")
        causes.update(more)
    more = compare_characters()
    print("characters, 1,000 texts:", dict(more) or "no disagreement")
    causes.update(more)
    return 1 if any("unexplained" in cause for cause in causes) else 0


if __name__ == "__main__":
    sys.exit(main())
