"""Llama: what changed after GPT-2, each part beside the one that it replaced."""

ORDER = 176
