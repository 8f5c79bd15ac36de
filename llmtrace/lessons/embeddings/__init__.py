"""Letters and words as vectors that are not chosen but trained, like the weights."""

ORDER = 70
