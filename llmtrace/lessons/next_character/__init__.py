"""A net reads the last letters of a text and predicts the next one; applied again and again, it writes."""

ORDER = 60
