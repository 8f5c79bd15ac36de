"""Sphinx: `python -m sphinx -W docs docs/_build`."""

from llmtrace._version import __version__

project = "llmtrace"
author = "The llmtrace authors"
copyright = "2026, The llmtrace authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"llmtrace {version}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": False}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True


def escape_shapes(app, what, name, obj, options, lines):  # noqa: D103 - a hook of Sphinx
    # In shapes such as [*, T, C] the star is any leading axes, not the beginning of emphasis.
    lines[:] = [line.replace("[*", r"[\*") for line in lines]


def setup(app):  # noqa: D103
    app.connect("autodoc-process-docstring", escape_shapes)
