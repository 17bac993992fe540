"""Frames over time: opening, exact seeking, caching and writing video."""
