"""GPT: all the parts put together, and how many numbers they have in models of any size."""

ORDER = 170
