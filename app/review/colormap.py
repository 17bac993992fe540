"""The confidence colour map for the window, which may not reach into backends."""

from backends.confidence.colormap import confidence_rgb

BEYOND_RGB = (128, 132, 138)
"""Of what is expected to be farther off than a person cares to see."""

__all__ = ["BEYOND_RGB", "confidence_rgb"]
