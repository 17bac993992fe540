"""The room without the people."""

from backends.background.completion import complete
from backends.background.filling import fill, fill_along_edges
from backends.background.light import Light, light_of
from backends.background.moving import MovingRoom
from backends.background.plate import PlateBuilder
from backends.background.still import StillRoom, survey
from backends.background.types import Inpainter, MaskedFrame, Plate

__all__ = [
    "Inpainter", "Light", "MaskedFrame", "MovingRoom", "Plate", "PlateBuilder", "StillRoom", "complete",
    "fill", "fill_along_edges", "light_of", "survey",
]  # fmt: skip
