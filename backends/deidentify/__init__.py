"""Covering people so that nobody can be recognised."""

from backends.deidentify.cover import cover_frame
from backends.deidentify.regions import PersonCover

__all__ = ["PersonCover", "cover_frame"]
