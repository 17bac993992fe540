"""The confidence colour map for the window, which may not reach into backends."""

from backends.confidence.colormap import confidence_rgb

__all__ = ["confidence_rgb"]
