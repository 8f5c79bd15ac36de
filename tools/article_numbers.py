"""The page of docs that says who is right, where an article and a lesson print the same number.

python tools/article_numbers.py            write docs/article-numbers.md
python tools/article_numbers.py --check    write nothing; exit code 1 where the page is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from llmtrace import i18n  # noqa: E402
from llmtrace.lessons import LESSONS, load  # noqa: E402
from llmtrace.lessons.framework.text import filled, lesson_text  # noqa: E402

PAGE = ROOT / "docs" / "article-numbers.md"
HEAD = """# Numbers of the articles

The lessons grew from articles, such as *Understanding LLMs from Scratch Using Middle School Math* by Rohit Patel. Every
number that an article prints is computed again by the lesson's own code. This page is written by
`tools/article_numbers.py`; a test keeps it so.
"""
TABLE = "| what | article | ours | who is right |\n|---|---|---|---|\n"


def page() -> str:
    """The page as it should be."""
    i18n.use(i18n.ENGLISH)
    parts = [HEAD]
    for name in LESSONS:
        lesson = load(name)
        if lesson.articles:
            parts.append(
                f"\n## {name}: {lesson_text(name).title}\n\n| what | article | ours | who is right |\n|---|---|---|---|\n"
            )
        for article in lesson.articles:
            ours = filled(f"{{{article.ours}}}", lesson)
            if ours != article.printed and not article.why:
                raise SystemExit(
                    f"{name}: {article.what}: the article prints {article.printed}, we {ours}; say who is right"
                )
            parts.append(f"| {article.what} | {article.printed} | {ours} | {article.why or 'both'} |\n")
        if lesson.chosen:
            parts.append(f"\nChosen by us: {lesson.chosen}\n")
    return "".join(parts)


def main(arguments: list[str]) -> int:
    made = page()
    if arguments == ["--check"]:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == made
        print("the page is up to date" if current else f"{PAGE} is not up to date: python tools/article_numbers.py")
        return 0 if current else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
