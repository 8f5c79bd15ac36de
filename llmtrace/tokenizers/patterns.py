"""Regular expressions of a tokenizer.json, read as Oniguruma reads them, which `tokenizers` uses; run by the `regex` library.

The two differ in many ways, and some expressions take for ever. So each is taken apart and put together anew: what means the
same in both is passed on, what can be said otherwise is said otherwise, and everything else is refused by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import N_, _
from llmtrace.text import cited

if TYPE_CHECKING:
    from regex import Pattern as Compiled

LONGEST = 4000
DEEPEST = 20
MOST_TIMES = 1000
"""So long, so deep, and with such numbers in braces may an expression be."""
PATIENCE, PATIENCE_EACH = 1.0, 4e-5
"""So many seconds, and so many more for each character of the text, may the search take: ten times what it does take, or more."""

WORD, WORD_ALONE = r"\w--[\u200c\u200d]", r"\w²³¹¼½¾--[\u200c\u200d]"
"""What `\\w` is to Oniguruma in a class, and where it stands alone."""
CATEGORIES = {"L": "ultmo", "M": "nce", "N": "dlo", "P": "cdseifo", "S": "mcko", "Z": "slp"}
SCRIPTS = frozenset({"Arabic", "Cyrillic", "Greek", "Han", "Hangul", "Hebrew", "Hiragana", "Katakana", "Latin", "Thai"})
PROPERTIES = SCRIPTS.union(first + more for first, seconds in CATEGORIES.items() for more in ["", *seconds])
"""The properties of Unicode that mean the same in both."""
NEWER = (
    r"\u0558\u058b-\u058c\u05c8-\u05c9\u088f\u0b53-\u0b54\u0c5c\u0cdc\u1acf-\u1af0\u208f\u209d-\u209f\u20c1-\u20c4"
    r"\u2b96\u2e60-\u2e63\ua7ce-\ua7cf\ua7d2\ua7d4\ua7dd\ua7e2\ua7f1\uab6c-\uab6d\ufbc3-\ufbd2\ufd90-\ufd91"
    r"\ufdc8-\ufdce\U000107bb-\U000107bf\U00010940-\U00010959\U00010ec5-\U00010ec7\U00010ec9-\U00010eee"
    r"\U00010ef0-\U00010efb\U00011b0a\U00011b60-\U00011b67\U00011db0-\U00011ddb\U00011de0-\U00011de9"
    r"\U00011df0-\U00011df1\U0001246f\U00012475-\U0001247f\U00012550-\U00012686\U00016ea0-\U00016eb8"
    r"\U00016ebb-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff\U00018cd6-\U00018cda\U00018d09-\U00018d20"
    r"\U00018d80-\U00018df2\U00018e00-\U00019191\U000191a0-\U000191d2\U0001b123-\U0001b128\U0001b168"
    r"\U0001ccfa-\U0001ccfc\U0001ceba-\U0001ced0\U0001ced2-\U0001ced4\U0001cedd-\U0001cefd\U0001d127-\U0001d128"
    r"\U0001d1eb-\U0001d1ff\U0001d250-\U0001d281\U0001d6a6\U0001db00-\U0001db1c\U0001df1f-\U0001df24"
    r"\U0001df2b-\U0001df81\U0001df90-\U0001df96\U0001dfcd-\U0001dfff\U0001e6c0-\U0001e6de\U0001e6e0-\U0001e6f5"
    r"\U0001e6fe-\U0001e6ff\U0001f1ae\U0001f6d8-\U0001f6d9\U0001f777-\U0001f77a\U0001f7da-\U0001f7db"
    r"\U0001f7f1-\U0001f7ff\U0001f8d0-\U0001f8d8\U0001fa54-\U0001fa57\U0001fa8a-\U0001fa8e\U0001fac8"
    r"\U0001facc-\U0001facd\U0001fadd\U0001faea-\U0001faeb\U0001faef\U0001faf9-\U0001fafa\U0001fbfa"
    r"\U0002b73a-\U0002b73f\U0002b81e\U0002cea2-\U0002cead\U000323b0-\U00033479\U0003d000-\U0003fc3f"
)
"""Characters that came after Unicode 16, which Oniguruma has: to it they are none, neither letters nor anything else."""
CHANGED = {0x295: 0x259}
"""ʕ, a small letter in Unicode 16, like ə, and no more."""
CONTROLS = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}
QUANTIFIERS = "?*+{"


class Pattern:
    """One expression, or a plain text to be found. ModelError where it is not supported."""

    def __init__(self, expression: str, literal: bool = False) -> None:
        self.expression, self._literal = expression, literal
        self._compiled = _plain(expression) if literal else _compiled(expression)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the matches begin and end; PromptError where it takes too long to find them."""
        return self.find_in_known(text if self._literal or text.isascii() else known(text))

    def find_in_known(self, text: str) -> Iterator[tuple[int, int]]:
        """The same in a text that is as `known` gives it."""
        ends = monotonic() + PATIENCE + PATIENCE_EACH * len(text)
        done = 0
        try:
            for match in self._compiled.finditer(text, timeout=ends - monotonic()):
                start, end = match.span()
                if start == end:
                    yield from self._one_by_one(text, done, ends)
                    return
                yield start, end
                done = end
        except (TimeoutError, MemoryError):
            raise PromptError(
                _(
                    "the tokenizer's pattern {pattern} takes too long on the text {text}",
                    pattern=cited(self.expression),
                    text=cited(text),
                )
            ) from None

    def _one_by_one(self, text: str, at: int, ends: float) -> Iterator[tuple[int, int]]:
        """The rest, where matches may be empty: none behind another match, and after it the search goes on behind it."""
        last = at if at else -1
        while at <= len(text):
            match = self._compiled.search(text, at, timeout=max(1e-6, ends - monotonic()))
            if match is None:
                return
            start, end = match.span()
            if start == end == last:
                at += 1
                continue
            yield start, end
            at = last = end


def known(text: str) -> str:
    """A text in which every character is of the kind that it has to Oniguruma."""
    return _newer().sub("\uffff", text).translate(CHANGED)


@cache
def _newer() -> Compiled[str]:
    import regex

    return regex.compile(f"[{NEWER}]")


@cache
def _plain(text: str) -> Compiled[str]:
    import regex

    return regex.compile(regex.escape(text))


@cache
def _compiled(expression: str) -> Compiled[str]:
    import regex

    translated = Translation(expression).whole()
    try:
        return regex.compile(translated, regex.V1)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise ModelError(
            _("the pattern {pattern} can't be read: {error}", pattern=cited(expression), error=str(error))
        ) from error


class Translation:
    """An expression of Oniguruma, read from left to right, as one of `regex`."""

    def __init__(self, expression: str) -> None:
        self._text = expression
        self._at = 0
        self._depth = 0
        self._any_case = False
        if len(expression) > LONGEST:
            self._refuse(N_("it is too long"))

    def whole(self) -> str:
        """The expression for `regex`."""
        translated = self._alternatives()
        if self._at < len(self._text):
            self._refuse(N_("a bracket that was not opened"))
        return translated

    def _refuse(self, why: str) -> NoReturn:
        raise ModelError(
            _(
                "the pattern {pattern} is not supported: {why} (character {place})",
                pattern=cited(self._text),
                why=_(why),
                place=self._at + 1,
            )
        )

    def _next(self, start: str) -> bool:
        """Whether `start` comes next; it is then passed."""
        found = self._text.startswith(start, self._at)
        self._at += len(start) * found
        return found

    def _take(self) -> str:
        if self._at >= len(self._text):
            self._refuse(N_("it ends too early"))
        self._at += 1
        return self._text[self._at - 1]

    def _alternatives(self) -> str:
        parts = [self._sequence()]
        while self._next("|"):
            parts.append(self._sequence())
        return "|".join(parts)

    def _sequence(self) -> str:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            start = self._text[self._at : self._at + 3]
            parts.append(self._atom())
            parts.append(self._quantifier(start))
        return "".join(parts)

    def _quantifier(self, atom: str) -> str:
        """How often the atom before it, which begins so, may come: ?, *, +, {n}, {n,} or {n,m}, and ? or + behind it."""
        if self._at >= len(self._text) or self._text[self._at] not in QUANTIFIERS:
            return ""
        sign = self._take()
        counted = sign == "{"
        if counted:
            sign = self._times()
        if atom in {"(?=", "(?!", "(?<"}:
            self._refuse(N_("a repetition of nothing"))
        if atom[0] == "(" and sign != "?":  # such as (a+)+, which can be tried in more ways than there are atoms
            self._refuse(N_("a group that repeats"))
        if self._next("+"):
            if counted:
                self._refuse(N_("a plus sign after a number of times"))
            sign += "+"
        elif self._next("?"):
            if counted and "," not in sign:
                self._refuse(N_("a question mark after a number of times"))
            sign += "?"
        if self._at < len(self._text) and self._text[self._at] in QUANTIFIERS:
            self._refuse(N_("one repetition after another"))
        return sign

    def _times(self) -> str:
        end = self._text.find("}", self._at)
        least, comma, most = self._text[self._at : max(end, self._at)].partition(",")
        if not (_is_number(least) and (_is_number(most) or not most)) or (most and int(least) > int(most)):
            self._refuse(N_("a brace that is not {n}, {n,} or {n,m}"))
        self._at = end + 1
        return f"{{{least}{comma}{most}}}"

    def _atom(self) -> str:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character == ".":
            return r"[^\n]"
        if character in "^$*+?{":
            self._at -= 1
            self._refuse(N_("^ or $") if character in "^$" else N_("a repetition of nothing"))
        return self._literal(character)

    def _literal(self, character: str) -> str:
        if not self._any_case or not character.isalpha():
            return _escaped(character)
        if not character.isascii() or character in "iI":
            self._refuse(N_("without regard to case, other letters than A to Z, or I"))
        others = {"s": "ſ", "k": "\u212a"}  # a long s, and the sign for Kelvin
        return f"[{character.lower()}{character.upper()}{others.get(character.lower(), '')}]"

    def _group(self) -> str:
        kinds = ("?:", "?i:", "?=", "?!", "?<=", "?<!", "?>")
        kind = next((kind for kind in kinds if self._next(kind)), "")
        if not kind and self._next("?"):
            self._refuse(N_("a group of an unusual kind"))
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(N_("it is nested too deeply"))
        before, start = self._any_case, self._at
        self._any_case = before or kind == "?i:"
        inner = self._alternatives()
        if kind in {"?<=", "?<!"} and set(self._text[start : self._at]) & {*QUANTIFIERS, "|", "("}:
            self._refuse(N_("a look behind at more than some characters"))
        if self._any_case and set(self._text[start : self._at]) & {*QUANTIFIERS, "["}:
            self._refuse(N_("without regard to case, anything but letters"))
        if not self._next(")"):
            self._refuse(N_("a bracket that is not closed"))
        self._any_case, self._depth = before, self._depth - 1
        return f"({kind if kind not in {'', '?i:'} else '?:'}{inner})"

    def _escape(self, inside: bool = False) -> str:
        letter = self._take()
        if letter in "pP":
            return self._property(letter)
        if letter in "sSdD":
            return f"\\{letter}"
        if letter in "wW":
            return f"[{'^' if letter == 'W' else ''}{WORD if inside else WORD_ALONE}]"
        if letter in CONTROLS:
            return _escaped(CONTROLS[letter])
        if letter.isascii() and not letter.isalnum() and letter.isprintable():
            return _escaped(letter)
        self._at -= 2
        self._refuse(N_("an unusual escape"))

    def _property(self, letter: str) -> str:
        end = self._text.find("}", self._at)
        name = self._text[self._at + 1 : end] if self._next_is("{") and end > 0 else ""
        if name not in PROPERTIES:
            self._refuse(N_("an unusual property of characters"))
        self._at = end + 1
        return f"\\{letter}{{{name}}}"

    def _next_is(self, start: str) -> bool:
        return self._text.startswith(start, self._at)

    def _class(self) -> str:
        inverted = self._next("^")
        if self._next_is("]"):
            self._refuse(N_("a class that begins with ]"))
        parts: list[str] = []
        while not self._next("]"):
            if self._next_is("[") or self._next_is("&&"):
                self._refuse(N_("a class in a class"))
            parts.append(self._member())
        return f"[{'^' if inverted else ''}{''.join(parts)}]"

    def _member(self) -> str:
        """A character, a range of them, or a kind of them."""
        first = self._one()
        if not self._next_is("-") or self._text[self._at + 1 : self._at + 2] in {"]", ""}:
            return first
        self._at += 1
        last = self._one()
        kinds = len(first) > 2 or len(last) > 2 or first in KINDS or last in KINDS
        if kinds or first[-1] > last[-1]:
            self._refuse(N_("a range that is none"))
        return f"{first}-{last}"

    def _one(self) -> str:
        character = self._take()
        return self._escape(inside=True) if character == "\\" else _escaped(character)


KINDS = frozenset({"\\s", "\\S", "\\d", "\\D"})


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) < 5 and int(digits) <= MOST_TIMES


def _escaped(character: str) -> str:
    return (
        f"\\{character}" if character.isascii() and not character.isalnum() and character.isprintable() else character
    )
