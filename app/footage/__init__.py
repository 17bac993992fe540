"""Frames over time: opening, exact seeking, caching and writing video."""

from app.footage.base import Footage
from app.footage.open import open_footage

__all__ = ["Footage", "open_footage"]
