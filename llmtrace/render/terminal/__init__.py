"""The terminal: everything that knows how wide it is."""
