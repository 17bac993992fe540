"""Giving people an identity over time."""
