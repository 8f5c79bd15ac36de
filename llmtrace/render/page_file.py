"""The page: one HTML file in which a model runs, and every number of its run shows how it was made.

The program is the JavaScript of `page/`, put together; the model's weights are in the file, too. It asks for nothing from
anywhere: a policy forbids it, and lets no program run but this one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace import i18n
from llmtrace.arithmetic.types import Array
from llmtrace.errors import PromptError
from llmtrace.i18n import N_, _
from llmtrace.render.page_data import family, first_messages, manifest, translations
from llmtrace.storage.digest import array_digest
from llmtrace.text import quoted, shown
from llmtrace.trace import Trace
from llmtrace.views.next_token import candidates, predicts
from llmtrace.views.numbers import percent
from llmtrace.views.sections import spot

PROGRAM = Path(__file__).parent / "page"
LARGEST = 40_000_000
"""The most bytes of a page: larger ones end the browsers of small computers."""
FALLBACK = N_(
    "This page needs a program that stands in it. If this line does not go away, this browser is too old or runs no"
    " programs, or the file is damaged."
)
IMPORT = re.compile(r'^import \{[^}]*\} from "(\./|\.\./)[^"]*";\n', re.MULTILINE)
SOURCE = re.compile(r'^import \{[^}]*\} from "([^"]*)";$', re.MULTILINE)


def page(trace: Trace, tokenizer: Any = None) -> str:
    """The page of a trace: its sentence at first, then any other. PromptError where it would be too large, or can't be."""
    expect_possible(trace)
    weights = {weight.name: weight.data for weight in trace.weights.values()}
    expect_room(sum(data.nbytes for data in weights.values()))  # before long work for nothing
    packed = {name: shuffled(data) for name, data in weights.items()}
    expect_room(sum(map(len, packed.values())))
    facts = manifest(trace, tokenizer) | {"weights": list(described(trace, weights))}
    return put_together(facts, first_screen(trace), packed)


def put_together(facts: dict[str, Any], first: str, packed: Mapping[str, str], nonce: str = "") -> str:
    """A page from what it says, its first screen and its packed tensors; served with a nonce, it may ask who has served it."""
    data = inert_json(facts)
    words = {name: translations(name, first_messages()) for name in i18n.languages()}
    program = (
        f"const MANIFEST_DIGEST = {json.dumps(digest_of(data))};\n"
        f"const FIRST_WORDS = {json.dumps(words, ensure_ascii=False)};\n\n{assembled()}"
    )
    style = (PROGRAM / "page.css").read_text(encoding="utf-8")
    scripts = "\n".join(
        f'<script type="application/octet-stream" id="{escape(name)}">{text}</script>' for name, text in packed.items()
    )
    template = (PROGRAM / "page.html").read_text(encoding="utf-8")
    return template.format(
        policy=escape(policy(program, style, nonce)),
        nonce=f' nonce="{nonce}"' if nonce else "",
        style=style,
        title=escape(shown(facts["text"], 80)),
        first=first,
        fallback="\n".join(f'<span lang="{name}">{escape(said)}</span>' for name, said in in_every_language(FALLBACK)),
        data=data,
        tensors=scripts,
        program=program,
    )


def in_every_language(text: str) -> Iterator[tuple[str, str]]:
    """A text in each language, with the language's name: for readers of whom nothing is known yet."""
    for name in i18n.languages():
        yield name, i18n.of_language(name).gettext(text)


def policy(program: str, style: str, nonce: str = "") -> str:
    """What a page may do: run its own program and look as its own style says; with a nonce, also ask its server."""
    if nonce:
        may = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
    else:
        may = f"script-src {source_hash(program)}; style-src {source_hash(style)}"
    return f"default-src 'none'; {may}; base-uri 'none'; form-action 'none'"


def first_screen(trace: Trace) -> str:
    """What is seen before the program has begun: the tokens, and the likeliest next ones."""
    tokens = " ".join(escape(quoted(token)) for token in map(str, trace.tokens))
    if not predicts(trace):
        return f"<p>{tokens}</p>"
    place = spot(trace, None, 0)
    rows = "".join(
        f'<tr><td>{escape(quoted(each.text))}</td><td class="n">{escape(percent(each.probability).text)}</td></tr>'
        for each in candidates(trace, place, 10)
    )
    heads = "".join(f"<th>{escape(_(text))}</th>" for text in ("token", "probability"))
    return f"<p>{tokens}</p>\n<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def expect_possible(trace: Trace) -> None:
    """PromptError where the page's program can't do what the trace did."""
    if family(trace) is None:
        raise PromptError(
            _(
                "a page runs models like GPT-2 and Llama, on one prompt from its beginning, and no others: `llmtrace serve`"
                " shows any model, and `llmtrace page --keep NAME` writes a page of parts of a run"
            )
        )
    if any(weight.dtype != np.float32 for weight in trace.weights.values()):
        raise PromptError(_("a page computes with float32, but this model has other numbers"))


def expect_room(size: int) -> None:
    """PromptError where numbers of so many bytes are too many for a page."""
    if size > LARGEST:
        raise PromptError(
            _(
                "a page with this model would be larger than {limit} MB: `llmtrace serve` shows the same page of a model of"
                " any size, and `llmtrace page --layers 0` (or --keep NAME) writes a page of parts of the run",
                limit=LARGEST // 1_000_000,
            )
        )


def described(trace: Trace, weights: dict[str, Array]) -> Iterator[dict[str, Any]]:
    """What the page must know of each weight."""
    for name, data in weights.items():
        axes = list(trace.weights[name].axes)
        yield {"name": name, "shape": list(data.shape), "axes": axes, "digest": array_digest(data)}


def shuffled(data: Array) -> str:
    """Numbers of 4 bytes as text: all first bytes, then all second ones …, deflated; so alike bytes stand side by side.

    Of bytes of numbers, whole strings hardly ever come again: only runs are looked for, which is many times quicker.
    """
    numbers = np.ascontiguousarray(data, data.dtype.newbyteorder("<"))
    planes = numbers.reshape(-1).view(np.uint8).reshape(-1, 4).T
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, strategy=zlib.Z_RLE)
    return base64.b64encode(packer.compress(planes.tobytes()) + packer.flush()).decode()


@cache
def assembled(*files: str) -> str:
    """These files of the program (all of it, if none is named) in one piece: each after those that it imports from, without
    their imports and exports.
    """
    order: list[str] = []

    def visit(file: str) -> None:
        if file not in order:
            text = (PROGRAM / file).read_text(encoding="utf-8")
            for other in SOURCE.findall(text):
                visit(posixpath.normpath(posixpath.join(posixpath.dirname(file), other)))
            order.append(file)

    for file in files or ("page.js",):
        visit(file)
    return "\n".join(f"// ==== {file} ====\n{plain(file)}" for file in order)


def plain(file: str) -> str:
    """A file without imports and exports."""
    text = IMPORT.sub("", (PROGRAM / file).read_text(encoding="utf-8"))
    return re.sub(r"^export ", "", text, flags=re.MULTILINE)


def digest_of(text: str) -> str:
    """SHA-256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def source_hash(text: str) -> str:
    """How a policy names the one program or style that it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def inert_json(facts: Any) -> str:
    """JSON that ends no element and begins no comment, whatever texts are in it: ASCII, with < > & written out."""
    text = json.dumps(facts, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
