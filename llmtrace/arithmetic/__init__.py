"""The floor under everything: types, elementary operations, and the lines that a calculation is written in."""
