"""Nine words that everybody uses, each with numbers, and with the command that shows it."""

ORDER = 180
