"""What is left of identity: networks that tell people apart, and how often they find somebody again."""

from backends.identity.chips import face_chip, person_crop
from backends.identity.match import Matched, chance_interval, closeness, match
from backends.identity.types import Embedder, Subject

__all__ = [
    "Embedder", "Matched", "Subject", "chance_interval", "closeness", "face_chip", "match", "person_crop",
]  # fmt: skip
