"""What is to be seen, before anybody knows where: a Document is a tree of plain data, without widths and without styles.

A *view* is a function in one file of this folder that makes a Document. It chooses what matters: the largest terms, the
head that looks most at one token, what is folded. It never asks how wide a page is. Where a narrow medium can't show all, the
block holds every candidate (all columns with their `rank`, all tokens of a `Run`) and the medium leaves out what does not fit.

A *medium* is a folder of `llmtrace.render` that turns every kind of block into its own form. It chooses what fits.

Numbers stay numbers: a `Number` holds its value and address beside the digits in which it is read. The digits are the view's
choice, because whether a calculation can be done again from what is shown depends on all its numbers at once; a medium that
shows every digit takes the value. `Document.facts` is what programs read (`--json`): all that the view knows as plain data,
of which its blocks show a selection.

Blocks of numbers in rows and columns, and pictures, are in `llmtrace.views.figures`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import reduce
from string import Formatter
from typing import Any, Literal

from llmtrace.display import Displayed
from llmtrace.frozen import frozen
from llmtrace.i18n import _, beside, touching

Role = Literal["", "name", "number", "value", "quiet", "heading", "total", "good", "wrong", "negative", "formula"]
"""What a piece of text is for; a medium has a style for each."""

# ---- inlines: what stands in a line ---------------------------------------------------------------------------------


@frozen
class Text:
    """Words, of the package or of others; media make them harmless."""

    text: str
    role: Role = ""


@frozen
class Number:
    """A number of a trace, or made of such numbers. `text` is how it is read: rounded, with `−` and `∞`."""

    value: Any
    text: str
    role: Role = ""
    address: str = ""


@frozen
class Token:
    """A token, or another text as it was read, in quotes. `most`: of longer ones, so many characters are enough to know it.

    `lines`: the same, in lines of the medium. 0 stands for any length.
    """

    text: str
    role: Role = ""
    most: int = 0
    lines: int = 0


@frozen
class Ref:
    """The address of a number, or the name of a step: media with links lead there."""

    address: str
    role: Role = ""


@frozen
class Bar:
    """A length for a share of 1. `longest`: how many characters are as good as any more; `negative`: of a number below 0."""

    share: float
    longest: int = 40
    negative: bool = False


@frozen
class Histogram:
    """How many numbers lie in each of some equal steps from the smallest to the largest."""

    counts: tuple[int, ...]


@frozen
class Phrase:
    """Several inlines in one role, which is that of all parts that have none."""

    parts: tuple[Inline, ...]
    role: Role = ""


@frozen
class Run:
    """Many short texts in a row, of which a medium shows as many as it has room for: at most one for each column."""

    items: tuple[str, ...]
    between: str = " "


@frozen
class Tokens:
    """The tokens of a text, of which at least the first and the last ones are seen: as many as `lines` lines have room for."""

    tokens: tuple[str, ...]
    most: int = 24
    lines: int = 2


Inline = str | Text | Number | Token | Ref | Bar | Histogram | Phrase | Run | Tokens
"""A `str` is a Text without a role."""

# ---- blocks: what stands below one another --------------------------------------------------------------------------


@frozen
class Block:
    """The base of all blocks."""


@frozen
class Paragraph(Block):
    """Inlines that are broken into lines. `indent`: how far it is set in; `hang`: how much further its other lines are."""

    inlines: tuple[Inline, ...]
    indent: int = 0
    hang: int = 2


@frozen
class Heading(Block):
    """A paragraph that says what comes below it. `level` 1 is the title of a page."""

    inlines: tuple[Inline, ...]
    level: int = 2
    indent: int = 0
    hang: int = 2


@frozen
class Item(Block):
    """An item of a list."""

    inlines: tuple[Inline, ...]
    indent: int = 2


@frozen
class Space(Block):
    """Some air: an empty line, where there are lines."""


@frozen
class Code(Block):
    """A statement of Python, and what it prints."""

    source: str
    printed: str = ""


@frozen
class Group(Block):
    """Blocks that are set in together."""

    blocks: tuple[Block, ...]
    indent: int = 0


@frozen
class Tree(Block):
    """Something with what it is made of: its own blocks, a title for its children, and these. Closed ones can be opened."""

    address: str
    head: Paragraph
    body: tuple[Block, ...] = ()
    title: str = ""
    children: tuple[Tree, ...] = ()
    open: bool = True


@frozen
class Definitions(Block):
    """Names with what they stand for; the names are as wide as the widest."""

    entries: tuple[tuple[Text, tuple[Inline, ...]], ...]
    indent: int = 0
    hang: int = 4


@frozen
class Column:
    """A column of a table, a cell for each row. `rank`: of columns that do not fit, those with the highest go first; 0 stays.

    `align`: `number` puts the first numbers within the cells under each other. `width`: how wide a cell usually is, where
    `Table.width` counts on the column to be left out. `notes`: what is said below the table where the column is seen.
    """

    title: Inline
    cells: tuple[Inline, ...]
    align: Literal["left", "right", "number"] = "left"
    rank: int = 0
    role: Role = ""
    width: int = 0
    notes: tuple[str, ...] = ()


@frozen
class Table(Block):
    """Columns beside each other. `between` are blocks that stand before some rows, by number; `after` the last one.

    `width`: how wide all columns but those of bars usually are; bars share the rest.
    """

    columns: tuple[Column, ...]
    between: tuple[tuple[int, Block], ...] = ()
    after: tuple[TableEnd, ...] = ()
    indent: int = 2
    width: int = 50

    def note(self, shown: Collection[int] | None = None) -> str:
        """What is said below it of the columns shown, by number, or of all."""
        said = (note for n, column in enumerate(self.columns) if shown is None or n in shown for note in column.notes)
        return reduce(lambda before, after: beside(f"{before} ", after), dict.fromkeys(filter(None, said)), "").lstrip()


@frozen
class TableEnd:
    """A last row: what stands in the first column, and a line of tokens with a number each, over all the other columns."""

    title: str
    items: tuple[tuple[Token, Number], ...]


@frozen
class Calculation(Block):
    """`mean = sum ÷ C = 1.234 ÷ 48 = 0.02572`: a name, the work in letters, in numbers, and the result; any may be absent.

    `said` is what is to be told about it, with what separates it from the result.
    """

    name: str
    letters: tuple[Inline, ...] = ()
    numbers: tuple[Inline, ...] = ()
    result: Number | None = None
    said: tuple[Inline, ...] = ()
    sign: Literal["=", "≈"] = "="


@frozen
class Examples(Block):
    """What is done with some numbers of a row: the place of each, and the work, with the numbers under each other."""

    rows: tuple[tuple[str, tuple[Inline, ...]], ...]


@frozen
class Term:
    """A term of a sum: its factors (none, where a row is added up), what is added, and the running total after it."""

    place: str
    factors: tuple[Number, ...]
    added: Number
    total: Number


@frozen
class Fold:
    """Terms that are not listed, from one place to another: how many, and the true running total before and after them."""

    first: str
    last: str
    count: int
    before: Number
    after: Number


@frozen
class Start:
    """The number that a sum goes on from."""

    name: str
    total: Number


@frozen
class RunningSum(Block):
    """A sum in its true order. `axis` names what the places of its terms count, `operands` what is multiplied and added up.

    Without `products`, the numbers of one row are added up as they are.
    """

    axis: str
    operands: tuple[str, ...]
    products: bool
    rows: tuple[Start | Term | Fold, ...]


# ---- documents ------------------------------------------------------------------------------------------------------


@frozen
class Document(Displayed):
    """Blocks, and all that the view knows as plain data (see `llmtrace.render.json`), or a function that returns it."""

    blocks: tuple[Block, ...]
    facts: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy has the facts themselves."""
        return self.__dict__ | {"facts": self.facts() if callable(self.facts) else self.facts}


def walk(thing: Any) -> Iterator[Any]:
    """A document, block or inline, and everything in it, in the order in which it is read."""
    if isinstance(thing, tuple | list):
        for each in thing:
            yield from walk(each)
    elif is_dataclass(thing) and not isinstance(thing, type):
        yield thing
        for part in fields(thing):
            if part.name != "facts":
                yield from walk(getattr(thing, part.name))


# ---- short ways to say it -------------------------------------------------------------------------------------------


def paragraph(*inlines: Inline, indent: int = 0, hang: int = 2) -> Paragraph:
    """A paragraph of some inlines."""
    return Paragraph(inlines, indent, hang)


def name(text: str) -> Text:
    """The name of something."""
    return Text(text, "name")


def quiet(text: str) -> Text:
    """Something beside the point."""
    return Text(text, "quiet")


def heading(text: str) -> Text:
    """Words of a heading."""
    return Text(text, "heading")


def good(text: str) -> Text:
    """Something that is as it should be."""
    return Text(text, "good")


def value(text: str) -> Text:
    """The result, in words."""
    return Text(text, "value")


def label(name: str) -> str:
    """`formula: `, what stands before that of which it is the name."""
    return _("{name}: ", name=name)


def said(text: str, role: Role = "", /, **values: Inline | int) -> Phrase:
    """A sentence, already in the reader's language, with inlines at the places of their names: `said(_("{n} of 3"), n=…)`."""
    parts: list[Inline] = []
    for words, key, _form, _conversion in Formatter().parse(text):
        found = values[key] if key else ""
        for each in (words, str(found) if isinstance(found, int) else found):
            if parts and touching(_plain(parts[-1]), _plain(each)):
                parts[-1] = parts[-1].rstrip(" ") if isinstance(parts[-1], str) else parts[-1]
                each = each.lstrip(" ") if isinstance(each, str) else each
            parts += [each] if each else []
    return Phrase(tuple(parts), role)


def _plain(inline: Inline) -> str:
    """The words of an inline where a sentence may go on without a space."""
    if isinstance(inline, Phrase):
        return "".join(map(_plain, inline.parts))
    return inline if isinstance(inline, str) else inline.text if isinstance(inline, Text) else "…"


def places(count: int, room: int) -> list[int | None]:
    """Up to `room` places of `count`: the first and the last ones; None stands for those left out between them.

    Those of less room are always among those of more, so that a medium can leave out some more.
    """
    if count <= room:
        return list(range(count))
    first = max(1, room - 1 - room // 2)
    return [*range(first), None, *range(count - (room - 1 - first), count)]
