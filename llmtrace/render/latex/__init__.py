"""LaTeX: tables, lists and shaded heatmaps, in plain ASCII, with the packages that every installation has.

XeTeX and LuaTeX write every character; where pdfTeX has none, its number stands there.
"""

from __future__ import annotations

from llmtrace.render import Sheet
from llmtrace.render.latex.blocks import Latex
from llmtrace.views.document import Document

MIME = "application/x-tex"
ENDING = ".tex"
PREAMBLE = r"""\documentclass{article}
\usepackage{array,color,longtable,textcomp}
\setlength{\parindent}{0pt}\setlength{\parskip}{.4em}\setlength{\fboxsep}{1.5pt}\setcounter{secnumdepth}{0}
\sloppy
\newcommand{\straight}{{\ttfamily\char34}}
\newcommand{\letter}[1]{{\char"#1}}
\ifdefined\pdftexversion\renewcommand{\letter}[1]{{\tiny U+#1}}\fi
\newcommand{\shade}[2]{\colorbox[rgb]{#1}{#2}}
\begin{document}
"""


def render(document: Document) -> str:
    """A document as the body of one."""
    return Latex().text(document.blocks)


def standalone(document: Document, sheet: Sheet) -> bytes:
    """A whole document for LaTeX."""
    return f"{PREAMBLE}{render(document)}\\end{{document}}\n".encode("ascii")
