"""Calculations along the rows of a tensor, and rows that are moved."""
