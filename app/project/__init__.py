"""The document: one SQLite file with footage, tracks, bodies and an append-only log of edits."""
