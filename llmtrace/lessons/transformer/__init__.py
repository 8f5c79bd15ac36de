"""The Transformer: a half that reads one language, a half that writes another, and where they meet."""

ORDER = 175
