"""Four numbers go in, two come out: a net of five neurons tells a leaf from a flower."""

ORDER = 20
