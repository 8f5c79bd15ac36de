"""Residual connections: a way round each layer, so that deep nets learn."""

ORDER = 120
