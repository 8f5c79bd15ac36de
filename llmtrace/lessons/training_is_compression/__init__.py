"""Training is compression: a text becomes a few weights, and what is lost on the way."""

ORDER = 190
