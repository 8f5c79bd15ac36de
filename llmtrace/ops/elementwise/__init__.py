"""One calculation per element."""
