"""Rendered scenes with known truth."""
