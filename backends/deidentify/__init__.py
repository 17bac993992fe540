"""Covering people so that nobody can be recognised."""

from backends.deidentify.cover import cover_frame
from backends.deidentify.foreground import Foreground
from backends.deidentify.regions import face_region, head_region, person_region
from backends.deidentify.types import FreeArea, How, PersonCover, Region

__all__ = [
    "Foreground", "FreeArea", "How", "PersonCover", "Region", "cover_frame", "face_region", "head_region",
    "person_region",
]  # fmt: skip
