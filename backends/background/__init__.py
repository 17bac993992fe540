"""The room without the people."""

from backends.background.plate import Plate, PlateBuilder, fill

__all__ = ["Plate", "PlateBuilder", "fill"]
