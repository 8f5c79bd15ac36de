"""Attention: scores, patterns, mixes, heads, and what goes back through them."""
