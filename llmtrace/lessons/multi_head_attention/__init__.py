"""Multi-head attention: several attentions side by side, each with its own matrices."""

ORDER = 150
