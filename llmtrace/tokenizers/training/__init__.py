"""Learning a tokenizer from texts."""
