"""Data sets with truth: the project's own, and readers for those that others published."""
