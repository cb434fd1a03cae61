"""Archived transcripts: the file, its chain, who can vouch for it, and how people get it."""
