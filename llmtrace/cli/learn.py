"""`llmtrace learn`: lessons that run, from one neuron on, with exercises that are checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import argument, new_command, option
from llmtrace.cli.options import FileName
from llmtrace.cli.output import Look, ending_of, print_document, shown_options, write_document, write_file
from llmtrace.cli.state import state_file
from llmtrace.i18n import N_, _, listed
from llmtrace.text import cited

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from llmtrace.lessons import Lesson


def lesson_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The lessons, for shells that complete them."""
    from click.shell_completion import CompletionItem

    from llmtrace.lessons import LESSONS

    return [CompletionItem(name) for name in LESSONS if name.startswith(incomplete)]


PAGE = ".html"
"""The ending of a file that a whole lesson is written to as a page."""


@new_command("learn")
@argument("name", required=False, metavar="[NAME]", shell_complete=lesson_names)
@option("--set", "changes", multiple=True, metavar="KEY=VALUE", help=N_("Change an input; all numbers follow."))
@option("--inputs", is_flag=True, help=N_("List the inputs that --set can change."))
@option("--explain", "address", metavar="ADDRESS", help=N_("Show only how one number of the lesson was computed."))
@option("--exercises", "only_exercises", is_flag=True, help=N_("Go straight to the exercises."))
@option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help=N_("Other numbers in the exercises."))
@option(
    "--save", "folder", type=FileName(), metavar="DIR", help=N_("Save the language model that the lesson has trained.")
)
@option("--all", "every", is_flag=True, help=N_("With -o FILE.html: all lessons, with a table of contents."))
@shown_options(own=("only_ascii",), more=(".cast",), heatmaps=True)
def command(name: str | None, changes: tuple[str, ...], look: Look, **options: Any) -> None:
    """Learn how language models work, lesson by lesson, with nothing but adding and multiplying.

    Without NAME, the lessons are listed. A lesson is shown page by page, and ends with exercises; in a pipe it runs
    straight through. Every number is computed as you read, and can be explained.

    \b
    Examples:
      llmtrace learn
      llmtrace learn perceptron
      llmtrace learn perceptron --set sunny=20
      llmtrace learn leaf-or-flower --explain "leaf hidden.1.sum[0]"
      llmtrace learn leaf-or-flower --exercises --seed 7
      llmtrace learn perceptron -o perceptron.html
      llmtrace learn llama --save small
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.cli.lesson_runner import Classroom
    from llmtrace.lessons import load

    if options.pop("every"):
        write_all(name, look, bool(changes) or any(options.values()))
        return
    if name is None:
        given = [key for key in ("inputs", "address", "only_exercises", "folder") if options[key]]
        if changes or given:
            raise click.UsageError(_("give the NAME of a lesson as well; llmtrace learn lists them"))
        list_lessons(look)
        return
    inputs = dict(map(change, changes))
    lesson = load(name, **inputs)
    classroom = Classroom(lesson, progress_file(), look)
    if options["inputs"]:
        list_inputs(lesson, look)
    elif options["address"]:
        print_document(classroom.explanation(options["address"]), look)
    elif options["folder"] is not None:
        save_model(lesson, options["folder"])
    elif look.file is not None and ending_of(look.file) == PAGE:
        write_page(look.file, [name], inputs)
    elif look.file is not None and ending_of(look.file) == ".cast":
        write_file(look.file, classroom.film())
    elif look.file is not None:
        write_document(classroom.document(), look)
    else:
        classroom.run(options["seed"], options["only_exercises"])
    sys.stdout.flush()


def write_page(file: str, names: Sequence[str], inputs: Mapping[str, str] | None = None) -> None:
    """Writes lessons as one HTML file, in every language, in which all numbers explain themselves."""
    from llmtrace.lessons.framework.lesson_page import lesson_page

    write_file(file, lesson_page(names, inputs or {}).encode())


def save_model(lesson: Lesson, folder: str) -> None:
    """Saves the language model that a lesson has trained, and says how a page of it is made."""
    from shlex import join

    from llmtrace.errors import LessonError
    from llmtrace.lessons import LESSONS, lesson_class
    from llmtrace.text import inert
    from llmtrace.weights import save_folder

    if not lesson.trained_model:
        names = listed(name for name in LESSONS if lesson_class(name).trained_model)
        text = _(
            "{lesson} trains no language model, as {names} does; `llmtrace page TEXT -o FILE.html` is for those that come with"
            " llmtrace"
        )
        raise LessonError(text.format(lesson=lesson.name, names=names))
    model = lesson.value(lesson.trained_model)
    save_folder(model, folder)
    model.tokenizer.save(folder)
    click.echo(inert(_("saved: {folder}", folder=folder)))
    page = join(["llmtrace", "page", lesson.value("prompt"), "--model", folder, "-o", f"{lesson.name}.html"])
    click.echo(inert(_("A page in which it runs: {command}", command=page)))


def write_all(name: str | None, look: Look, more: bool) -> None:
    """Writes all lessons into one file."""
    from llmtrace.lessons import LESSONS

    if name is not None or more or look.file is None or ending_of(look.file) != PAGE:
        raise click.UsageError(_("--all takes -o FILE.html, and nothing else"))
    write_page(look.file, list(LESSONS))


def change(text: str) -> tuple[str, str]:
    """`key=value` in its parts."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise click.UsageError(_("--set takes KEY=VALUE, not {text}", text=cited(text)))
    return key.strip().replace("-", "_"), value.strip()


def progress_file() -> Path:
    """Where it is noted what has been learned."""
    return state_file().with_name("lessons.json")


def list_lessons(look: Look) -> None:
    """All lessons, what they are about, and what has been done of each."""
    from llmtrace.lessons import LESSONS
    from llmtrace.lessons.framework import progress
    from llmtrace.lessons.framework.text import lesson_text
    from llmtrace.views.document import Block, Document, name, paragraph, quiet

    done = progress.read(progress_file())
    blocks: list[Block] = []  # as many lines as a small screen has
    following = ""
    for lesson in LESSONS:
        text, own = lesson_text(lesson), done.get(lesson, progress.Done())
        solved = sum(key in own.exercises for key in text.exercises)
        told = _("pages {pages}/{all_pages}, exercises {solved}/{exercises}").format(
            pages=min(own.pages, len(text.pages)),
            all_pages=len(text.pages),
            solved=solved,
            exercises=len(text.exercises),
        )
        blocks.append(
            paragraph(name(lesson), f"  {text.title}", *([quiet(f"  {told}")] if own.pages or solved else []), hang=4)
        )
        if not following and own.pages < len(text.pages):
            following = lesson
    if following:
        command = _("Next: {command}", command=f"llmtrace learn {following}")
        blocks.append(paragraph(command))
    print_document(Document(tuple(blocks)), look)


def list_inputs(lesson: Lesson, look: Look) -> None:
    """What --set can change, with the values that it has now."""
    from llmtrace.lessons.framework.lesson import input_text
    from llmtrace.lessons.framework.text import filled, lesson_text
    from llmtrace.views.document import Block, Document, paragraph, quiet

    told = lesson_text(lesson.name).inputs
    blocks: list[Block] = []
    for key in lesson.inputs():
        blocks.append(paragraph(f"{key}={input_text(getattr(lesson, key))}"))
        if key in told:
            blocks.append(paragraph(quiet(filled(told[key], lesson)), indent=4, hang=0))
    print_document(Document(tuple(blocks)), look)
