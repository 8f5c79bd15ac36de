"""The catalogue of everything llmtrace says. Needs Babel: python -m pip install babel.

python tools/catalogue.py            collect all texts into llmtrace/locale/llmtrace.pot, bring every .po up to date with
                                     it, and compile them to .mo (all three are kept in git); also compile messages.po,
                                     which is written by hand and says what click says
python tools/catalogue.py zh         the same, and begin a catalogue for a language that has none
python tools/catalogue.py --check    write nothing; exit code 1, with the reasons, where something is not up to date, not
                                     translated, or other than its text in a {placeholder}, an option, a name, an address
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from llmtrace.cli.command import paragraphs  # noqa: E402 - of this checkout
from llmtrace.garbage import no_collections  # noqa: E402
from llmtrace.render.page_data import SPOKEN  # noqa: E402

COMMAND = re.compile("command|group")
PACKAGE = ROOT / "llmtrace"
LOCALE = PACKAGE / "locale"
KEYWORDS = {"_": 1, "N_": 1, "n_": 2, "NN_": 2}
"""How many texts each of these takes."""
MARK = re.compile(rf"\b(?:{'|'.join(KEYWORDS)})\(")

KEPT = re.compile(r"`[^`]*`|(?<![\w-])--?[a-z][\w-]*|\w+(?:\.\w+)+|\b[A-Z]{2,}\b", re.ASCII)
"""In a text: code, options, names and addresses such as block.0.mlp.up, what help pages call arguments."""

Found = tuple[str, int, str | tuple[str, ...]]
"""File, line, text; two texts for one that is counted."""


def nodes_of(text: str) -> list[ast.AST]:
    """All that a file is made of, in the order of `ast.walk`."""
    with no_collections():  # nothing of a tree can be thrown away while it is made
        nodes: list[ast.AST] = [ast.parse(text)]
        for node in nodes:
            for value in vars(node).values():
                if isinstance(value, ast.AST):
                    nodes.append(value)
                elif isinstance(value, list):
                    nodes += [each for each in value if isinstance(each, ast.AST)]
    return nodes


def marked(nodes: list[ast.AST], file: str) -> Iterator[Found]:
    """The texts in `_`, `N_`, `n_` and `NN_`; also those in f-strings, which Babel's own reader leaves out."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            texts = node.args[: KEYWORDS[node.func.id]]
            if any(isinstance(text, ast.JoinedStr) for text in texts):
                raise SystemExit(f"{file}:{node.lineno}: an f-string can't be translated: give its values by name")
            said = [text.value for text in texts if isinstance(text, ast.Constant)]
            if said:
                yield file, node.lineno, said[0] if len(said) == 1 else tuple(said)


def helps(nodes: list[ast.AST], file: str) -> Iterator[Found]:
    """The paragraphs of the docstrings that are the help of commands."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and any(COMMAND.search(ast.unparse(d)) for d in node.decorator_list):
            for text in paragraphs(inspect.cleandoc(ast.get_docstring(node) or "")):
                yield file, node.lineno, text


def words_of_ops(nodes: list[ast.AST], file: str) -> Iterator[Found]:
    """What explanations say of an op: its formula, its inputs and weights, the constants and the names of its lines."""
    for node in nodes:
        texts: list[ast.expr] = []
        match node:
            case ast.FunctionDef(name="meaning", args=ast.arguments(args=inputs)):
                texts = [ast.Constant(each.arg) for each in inputs]
            case ast.Call(
                func=ast.Name("Op" | "elementwise_op" | "row_op"), args=[_name, formula, *_others], keywords=keywords
            ):
                tensors = [
                    k.value.elts for k in keywords if k.arg in {"inputs", "weights"} and isinstance(k.value, ast.Tuple)
                ]
                texts = [formula, *(each for names in tensors for each in names)]
            case ast.Call(func=ast.Attribute(value=ast.Name("w"), attr="constant" | "count"), args=[_value, text]):
                texts = [text]
            case ast.Call(func=ast.Attribute(value=ast.Name("w"), attr=kind), args=[name, *_others]) if kind != "has":
                texts = [name]
        for text in texts:
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and spoken(text.value):
                yield file, node.lineno, text.value


def spoken(text: str) -> bool:
    """Whether a formula or the name of a line has a word of English: `x²` has none, and `out` is called the result."""
    return bool(
        set(re.findall(r"(?<![`\w])[a-zA-Z]{3,}", text)) - {"cos", "exp", "erf", "log", "out", "dout", "sin", "tanh"}
    )


def in_javascript(text: str, file: str) -> Iterator[Found]:
    """The texts in `_` and `N_` of the page's program."""
    for found in SPOKEN.finditer(text):
        yield file, text.count("\n", 0, found.start()), json.loads(found[2])


def found_in(path: Path) -> list[Found]:
    """Every text of a file of the package."""
    name, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        return list(in_javascript(text, name))
    of_commands, of_ops = path.parent.name == "cli", path.is_relative_to(PACKAGE / "ops")
    if not (of_commands or of_ops or MARK.search(text)):
        return []
    nodes = nodes_of(text)
    found = list(marked(nodes, name))
    if of_commands:
        found += helps(nodes, name)
    if of_ops:
        found += words_of_ops(nodes, name)
    return found


def template() -> Catalog:
    """Everything llmtrace says, in the order of the files."""
    catalogue = Catalog(project="llmtrace", copyright_holder="The llmtrace authors", charset="utf-8", fuzzy=False)
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]):
        for file, _line, text in sorted(found_in(path), key=lambda item: item[1]):
            message = catalogue.get(text[0] if isinstance(text, tuple) else text)
            if message is None or file not in dict(message.locations):
                catalogue.add(text, locations=[(file, None)])  # lines would change with every edit
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The file of a catalogue, without dates, so that it changes only with the texts."""
    file = io.BytesIO()
    write_po(file, catalogue, width=120, omit_header=True)
    header = b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    if catalogue.locale:
        plural = f'"Language: {catalogue.locale}\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n'
        header += plural.encode()
    return header + b"\n" + file.getvalue()


class Dateless(Catalog):
    """A catalogue whose header says only what gettext needs: no dates, no version of Babel."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The header."""
        return [("Content-Type", "text/plain; charset=utf-8"), ("Plural-Forms", self.plural_forms)]


def compiled(catalogue: Catalog) -> bytes:
    """The .mo of a catalogue; what is not translated or only guessed (fuzzy) is left out and stays English."""
    file, made = io.BytesIO(), Dateless(locale=catalogue.locale, charset="utf-8", fuzzy=False)
    for message in catalogue:
        if message.id and not message.fuzzy:
            made.add(message.id, message.string)
    write_mo(file, made)
    return file.getvalue()


def kept(text: str) -> set[str]:
    """What every language says alike: placeholders with how they are written, code, options, names and addresses."""
    if re.fullmatch("[A-Z]+", text):  # it stands for a value, and is written with the letters of the language
        return set()
    pieces = list(string.Formatter().parse(text))
    fields = {
        "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
        for _before, name, spec, conversion in pieces
        if name is not None
    }
    return fields | {name for before, *_field in pieces for name in KEPT.findall(before)}


def wrong(message: Message) -> str | None:
    """What is wrong with a translation, in one line; None if nothing is."""
    texts = message.id if isinstance(message.id, tuple) else (message.id,)
    said = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if not all(said):
        return f"{texts[0]!r} is not translated"
    if message.fuzzy:
        return f"{texts[0]!r} is only guessed (fuzzy)"
    needed = set().union(*map(kept, texts))
    for text in said:
        try:
            if kept(text) != needed:
                return f"{text!r} must have {sorted(needed)}, as {texts[0]!r}"
        except ValueError as error:
            return f"{text!r}: {error}"
    return None


def catalogues() -> dict[str, Path]:
    """The .po files, by language."""
    return {path.parts[-3]: path for path in sorted(LOCALE.glob("*/LC_MESSAGES/llmtrace.po"))}


def outputs(begin: list[str]) -> dict[Path, bytes]:
    """Every file of the catalogue as it should be; `begin`: languages that have none yet."""
    new = template()
    files = {LOCALE / "llmtrace.pot": written(new)}
    begun = {name: LOCALE / name / "LC_MESSAGES" / "llmtrace.po" for name in begin}
    for name, path in {**begun, **catalogues()}.items():
        old = path.read_bytes() if path.exists() else b""
        catalogue = read_po(io.BytesIO(old), locale=name)
        catalogue.update(new, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        files[path], files[path.with_suffix(".mo")] = written(catalogue), compiled(catalogue)
    for path in LOCALE.glob("*/LC_MESSAGES/messages.po"):
        files[path.with_suffix(".mo")] = compiled(read_po(io.BytesIO(path.read_bytes()), locale=path.parts[-3]))
    return files


def problems(files: dict[Path, bytes]) -> list[str]:
    """Files that are not up to date, and translations that can't be right."""
    found = [f"{path} is not up to date: python tools/catalogue.py"
             for path, content in files.items() if not path.exists() or path.read_bytes() != content]  # fmt: skip
    for name, path in catalogues().items():
        for message in read_po(io.BytesIO(path.read_bytes()), locale=name):
            problem = wrong(message) if message.id else None
            found += [f"{path}: {problem}"] if problem else []
    return found


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        found = problems(outputs([]))
        print("\n".join(found) or "the catalogue is up to date")
        return 1 if found else 0
    for path, content in outputs(arguments).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    found = problems({})
    print("\n".join(found) or f"{len(template())} texts")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
