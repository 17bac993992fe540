"""Searching the finished video for whoever slipped through, and what a person decides about it."""
