"""How: arrays in, arrays out. No Qt, no SQLite, no knowledge of a project."""
