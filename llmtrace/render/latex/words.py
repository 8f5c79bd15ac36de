"""Inlines in LaTeX, in ASCII: every sign that TeX would read is a command, and so is every other character."""

from __future__ import annotations

import re

from llmtrace.text import inert, quoted, token_words
from llmtrace.views.document import Bar, Histogram, Inline, Number, Phrase, Ref, Role, Run, Text, Token, Tokens

SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    '"': r"\straight{}",
    "-": r"-{}",
    ",": r",{}",
    "−": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}",
    "÷": r"\ensuremath{\div}",
    "·": r"\ensuremath{\cdot}",
    "√": r"\ensuremath{\surd}",
    "✓": r"\ensuremath{\surd}",
    "∞": r"\ensuremath{\infty}",
    "≈": r"\ensuremath{\approx}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "→": r"\ensuremath{\rightarrow}",
    "Σ": r"\ensuremath{\Sigma}",
    "ε": r"\ensuremath{\varepsilon}",
    "π": r"\ensuremath{\pi}",
    "²": r"\ensuremath{^2}",
    "…": r"\dots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
}
"""What stands for a character. `-{}` and `,{}`: several in a row are not another sign."""
OTHERS = re.compile(r"[^A-Za-z0-9 .:;=+*/()\[\]@!?]")
COMMANDS: dict[str, str] = {
    "name": "textbf",
    "number": "textbf",
    "value": "textbf",
    "total": "textbf",
    "heading": "textbf",
    "wrong": "textbf",
    "formula": "textit",
    "quiet": "textit",
}


def escaped(text: str) -> str:
    """A text of anybody's, which can't be anything but text."""
    return OTHERS.sub(lambda sign: SIGNS.get(sign[0]) or f"\\letter{{{ord(sign[0]):X}}}", inert(text))


def latex(*inlines: Inline, role: Role = "") -> str:
    """Inlines in one line."""
    return re.sub(" {2,}", " ", "".join(_latex(inline, role) for inline in inlines)).strip()


def _latex(inline: Inline, role: Role) -> str:
    match inline:
        case str():
            return styled(escaped(inline), role)
        case Text() | Number():
            return styled(escaped(inline.text), inline.role or role)
        case Token():
            return styled(escaped(quoted(inline.text)).replace(" ", "~"), inline.role or role)
        case Ref():
            return styled(escaped(inline.address), inline.role or role)
        case Phrase():
            return "".join(_latex(part, inline.role or role) for part in inline.parts)
        case Run():
            return styled(escaped(inline.between.join(inline.items)), role)
        case Tokens():
            return styled(escaped(" ".join(token_words(inline.tokens))), role)
        case Bar():
            return _rule(10 * inline.share, 0.6) if inline.share == inline.share else ""
        case Histogram():
            top = max(inline.counts, default=0)
            return "".join(_rule(0.25, count / top) for count in inline.counts) if top else ""


def styled(text: str, role: str) -> str:
    """A text in the face of its role, with the spaces outside."""
    bare = text.strip()
    if role not in COMMANDS or not bare:
        return text
    start = len(text) - len(text.lstrip())
    return f"{text[:start]}\\{COMMANDS[role]}{{{bare}}}{text[start + len(bare) :]}"


def _rule(width: float, height: float) -> str:
    return f"\\rule{{{max(0.0, width):.2f}em}}{{{max(0.0, height):.2f}em}}"
