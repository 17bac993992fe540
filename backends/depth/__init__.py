"""What a depth sensor says of the people in a picture: a small picture of distances for each of them."""

from backends.depth.patch import DepthPatch, take_patch

__all__ = ["DepthPatch", "take_patch"]
