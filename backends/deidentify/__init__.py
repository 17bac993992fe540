"""Covering people in pictures."""
