"""Nothing lost, nothing done twice: what arrives is a row, a thread is leased, what shall be shown is a row."""
