"""Rows times columns, and what that does to points: rotations, projections, words, layers."""

ORDER = 50
