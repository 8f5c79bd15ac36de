"""Softmax and sampling: how scores become chances, and how one is drawn."""

ORDER = 110
