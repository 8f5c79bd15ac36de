"""A net that is wrong is made less wrong, step by step, by the gradient of its loss."""

ORDER = 30
