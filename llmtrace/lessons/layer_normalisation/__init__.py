"""Layer normalisation: the numbers of a row are brought to mean 0 and deviation 1."""

ORDER = 130
