"""The z-buffer rasterizer: whatever leaves the program is drawn here."""

from backends.render.closed import REACH_M, closed_faces
from backends.render.composite import composite
from backends.render.rasterizer import NEAR_M, pick, rasterize
from backends.render.types import SOFT, UNLIT, Lamp, Light, Mesh, Pick, Picture

__all__ = [
    "NEAR_M", "REACH_M", "SOFT", "UNLIT", "Lamp", "Light", "Mesh", "Pick", "Picture", "closed_faces",
    "composite", "pick", "rasterize",
]  # fmt: skip
