"""Dropout: in training, some numbers are left out at random, so that a net learns less by heart."""

ORDER = 140
