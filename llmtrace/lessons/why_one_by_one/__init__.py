"""Why one by one: a language model chooses a token, reads it with all the others, and chooses again."""

ORDER = 175
