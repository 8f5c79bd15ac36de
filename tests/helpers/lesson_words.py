"""The words that lessons use."""

from llmtrace.lessons.framework.text import FOLDERS


def glossary(table=0):
    """The words of the glossary; `table` 1: those that Chinese texts do not use, with the right ones."""
    lines = (FOLDERS / "glossary.md").read_text().split("\n## ")[table].split("\n")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return dict(rows[1:])


def prose(text):
    """What a lesson says, without code and what is shown."""
    for page in text.pages:
        yield page.title
        yield from (block.text for block in page.blocks if block.kind in {"paragraph", "item"})
    for exercise in text.exercises.values():
        yield from (exercise.question, *exercise.helps.values())
    yield from text.inputs.values()
