"""Every kind of view of a trace of `small_models`."""

import io

from rich.console import Console

from llmtrace.render import renderable

PATTERN = "block.1.attn.pattern"
LOOKS = [
    (None, {}),
    (None, {"every": True}),
    ("block.0.ln_1", {}),
    (PATTERN, {}),
    (PATTERN, {"head": 2}),
    ("block.0.attn.scores", {}),
    ("block.0.attn.scores", {"head": 0, "every": True}),
    ("block.0.attn.q", {"head": 1}),
    ("residual", {}),
    ("residual", {"position": 0, "every": True}),
    ("logits", {}),
    ("logits", {"position": 1}),
    ("next_token", {}),
    ("block.0.mlp.up", {"neuron": 17}),
    ("block.1.mlp.act", {"neuron": 0, "every": True}),
    ("tokens", {}),
    ("block.0.mlp.up.weight", {}),
    ("embed.position.weight", {}),
]


def coloured(shown, width=80, system="truecolor", **options):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=system, **options)
    return list(console.render(shown if hasattr(shown, "__rich_console__") else renderable(shown)))
