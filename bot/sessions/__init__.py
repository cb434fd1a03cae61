"""Which thread works on which ticket, what was said in it, and who may see that: SQL."""
