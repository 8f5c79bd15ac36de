"""What is typed: texts, names, numbers, environments."""

from __future__ import annotations

from collections.abc import Iterator

from attacks.stage import PROMPT, SMALL, Attack, Stage

TEXTS: list[str | bytes] = [
    "",
    " ",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eabc\u2066def",
    b"\xff\xfe half",
    b"\xed\xa0\x80",
    "\x01\x02\x7f\x9b31m",
    "a\r\nb\u2028c\x85d",
    "[bold]x[/bold][/]",
    "x" * 100_000,
    "👩‍👩‍👧 e\u0301\u0301\u0301",
    "<|endoftext|>",
    "--",
    "%s {} {0} $HOME `id`",
]
"""What people and programs put where a text, a name or a path belongs."""

NUMBERS = [
    "-1",
    "0",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "9" * 5000,
    "9" * 19,
    str(1 << 63),
    "1_000",
    "٣",
    " 1",
    "0x10",
    "",
    "1,5",
]


def commands(text: str | bytes) -> list[tuple[str | bytes, ...]]:
    """Every command that takes a text, with this one."""
    return [
        ("trace", "--layer", "0", "--", text),
        ("tokenize", "--", text),
        ("generate", "--steps", "2", "--", text),
        ("ledger", "--", text),
        ("surprise", "--", text),
        ("compare", "--", PROMPT, text),
        ("what-if", PROMPT, "--swap", b"1=" + (text if isinstance(text, bytes) else text.encode())),
        ("show", "logits", "--prompt", text),
        ("explain", "logits[-1, 0]", "--prompt", text),
        ("page", "-o", "x.html", "--", text),
    ]


def texts(stage: Stage) -> Iterator[Attack]:
    for i, text in enumerate(TEXTS):
        for arguments in stage.some(commands(text), 4):
            yield Attack("texts", f"{arguments[0]!s} {i}", arguments)


def names(stage: Stage) -> Iterator[Attack]:
    """Hostile texts where a name, a path, an address or a token belongs."""
    for i, text in enumerate(TEXTS):
        places: list[tuple[str | bytes, ...]] = [
            ("trace", PROMPT, "--model", text),
            ("explain", text, "--prompt", PROMPT),
            ("show", text, "--prompt", PROMPT),
            ("what-if", PROMPT, "--off", text),
            ("what-if", PROMPT, "--set", b"logits[0, 0]=" + (text if isinstance(text, bytes) else text.encode())),
            ("what-if", PROMPT, "--recipe", text),
            ("ledger", PROMPT, "--against", text if text != " " else "  "),  # one space is a token
            ("learn", "--", text),
            ("learn", "perceptron", "--set", text),
            ("learn", "perceptron", "--explain", text),
            ("verify", "--", text),
            ("trace", PROMPT, "--lang", text),
            ("--", text),
            ("corpus", "-o", "index", "--", text),
            ("train", "-o", "m", "--", text),
            ("fetch", "--", text),
        ]
        for arguments in stage.some(places, 4):
            refused = arguments[0] != "learn" or bool(text)
            yield Attack("names", f"{arguments[0]!s} {i}", arguments, refused=refused and arguments[0] != "--")


def numbers(stage: Stage) -> Iterator[Attack]:
    """Hostile numbers; what is no number at all must be refused."""
    places = [
        ("generate", PROMPT, "--steps"),
        ("generate", PROMPT, "--steps", "2", "--temperature"),
        ("generate", PROMPT, "--steps", "2", "--top-k"),
        ("generate", PROMPT, "--steps", "2", "--top-p"),
        ("generate", PROMPT, "--steps", "2", "--repetition-penalty"),
        ("generate", PROMPT, "--steps", "2", "--seed"),
        ("trace", PROMPT, "--width"),
        ("trace", PROMPT, "--layer"),
        ("trace", PROMPT, "--position"),
        ("trace", "--ids"),
        ("explain", "logits[-1, 0]", "--prompt", PROMPT, "--depth"),
        ("surprise", PROMPT, "--stride"),
        ("train", stage.diary, "-o", "m", *SMALL, "--rate"),
        ("train", stage.diary, "-o", "m", *SMALL, "--width"),
        ("train", stage.diary, "-o", "m", *SMALL, "--context"),
        ("train", stage.diary, "-o", "m", *SMALL, "--vocabulary"),
        ("verify", str(stage.trace), "--sample"),
        ("learn", "perceptron", "--exercises", "--seed"),
    ]
    for place in places:
        for number in stage.some(NUMBERS, 3):
            wrong = number in {"nan", "inf", "-inf", "", "1,5", "0x10"}
            yield Attack("numbers", f"{place[0]} {place[-1]} {number[:9]}", (*place, number), refused=wrong)


def environments(stage: Stage) -> Iterator[Attack]:
    for name in [
        "LLMTRACE_LANG",
        "LLMTRACE_MODEL",
        "LLMTRACE_NUM_THREADS",
        "LLMTRACE_ISA",
        "LLMTRACE_PLAIN",
        "LLMTRACE_WIDE",
    ]:
        for value in ["", "\x1b[31m", b"\xff\xff", "9" * 5000, "../../etc"]:
            must = value not in {"", "../../etc"} and name in {"LLMTRACE_MODEL", "LLMTRACE_NUM_THREADS", "LLMTRACE_ISA"}
            yield Attack("environments", f"{name} {value[:9]!r}", ("trace", PROMPT), must, environment={name: value})
    others: list[tuple[str, str | bytes]] = [
        ("COLUMNS", "0"),
        ("COLUMNS", "-5"),
        ("COLUMNS", "9" * 30),
        ("COLUMNS", "x"),
        ("LINES", "0"),
        ("TERM", "\x1b[31m"),
        ("TERM", "dumb"),
        ("LANG", "xx_YY.UTF-8"),
        ("LC_ALL", b"\xff"),
        ("LANGUAGE", "zh:en:\x07"),
        ("HOME", "/proc/nowhere"),
        ("HOME", ""),
        ("HOME", "/proc/version"),
        ("XDG_STATE_HOME", "/proc/version"),
        ("XDG_CACHE_HOME", "relative"),
        ("TMPDIR", "/proc/nowhere"),
        ("PAGER", "/nowhere"),
        ("FORCE_COLOR", "x"),
        ("NO_COLOR", ""),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONOPTIMIZE", "2"),
        ("PYTHONHASHSEED", "5"),
    ]
    for name, value in others:
        colour = name == "FORCE_COLOR"
        yield Attack(
            "environments",
            f"{name} {value!r}",
            ("trace", PROMPT),
            environment={name: value},
            encoding="any" if colour else "utf-8",
        )
    for encoding in [
        "ascii",
        "cp936",
        "cp437",
        "latin-1",
        "utf-16",
        "utf-8:strict",
        "ascii:surrogateescape",
    ]:
        for language in ["en", "zh"]:
            around = {"PYTHONIOENCODING": encoding, "LLMTRACE_LANG": language}
            yield Attack(
                "environments", f"{encoding} {language}", ("trace", PROMPT), environment=around, encoding=encoding
            )
