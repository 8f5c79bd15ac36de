"""tokenizer.json: reading and writing apart."""
