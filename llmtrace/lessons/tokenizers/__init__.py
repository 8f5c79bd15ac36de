"""How a text becomes numbers: characters, words, merged pairs, or the most probable segmentation."""

ORDER = 80
