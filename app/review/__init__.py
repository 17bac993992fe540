"""What to look at next, and the session that a person works in."""
