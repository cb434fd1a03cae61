"""What a ticket is and where it is kept: files; no Slack, no SQL, no Claude."""
