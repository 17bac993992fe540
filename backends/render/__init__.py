"""The z-buffer rasterizer: whatever leaves the program is drawn here."""

from backends.render.composite import composite
from backends.render.rasterizer import NEAR_M, pick, rasterize
from backends.render.types import SOFT, UNLIT, Lamp, Light, Mesh, Pick, Picture

__all__ = [
    "NEAR_M", "SOFT", "UNLIT", "Lamp", "Light", "Mesh", "Pick", "Picture", "composite", "pick", "rasterize",
]  # fmt: skip
