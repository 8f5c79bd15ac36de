"""Positions: how a model knows in which order words stand."""

ORDER = 160
