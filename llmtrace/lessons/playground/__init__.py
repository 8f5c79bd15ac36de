"""A small net that learns where points are, drawn as it learns, in the manner of TensorFlow Playground."""

ORDER = 90
