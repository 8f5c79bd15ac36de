"""Lists of numbers, what softmax makes of them, and words as points that are near or far."""

ORDER = 40
