"""Self-attention: each word gathers what it needs from the others."""

ORDER = 100
