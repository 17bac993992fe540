"""What a depth sensor recorded beside a video: pictures, a stack of arrays, or a grey video."""

from app.footage.depth.open import DepthFootage, find_depth, open_depth

__all__ = ["DepthFootage", "find_depth", "open_depth"]
