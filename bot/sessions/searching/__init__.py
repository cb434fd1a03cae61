"""Finding what was said: what is kept for it, what counts as a word, and the question."""
