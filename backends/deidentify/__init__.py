"""Covering people so that nobody can be recognised."""

from backends.deidentify.cover import cover_frame
from backends.deidentify.regions import PersonCover, Region, head_region, person_region

__all__ = ["PersonCover", "Region", "cover_frame", "head_region", "person_region"]
