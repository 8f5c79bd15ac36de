"""What lessons show, and the words that they use."""

from rich.console import Console

from llmtrace.lessons.framework.text import FOLDERS


def printed(view, width=80):
    console = Console(width=width, color_system=None, emoji=False, markup=False, highlight=False)
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def glossary():
    lines = (FOLDERS / "glossary.md").read_text().split("\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return dict(rows[1:])
