"""What a person asks for when a scene is to be made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

LAYOUTS: Final = ("understudy", "disguisor", "coco", "easymocap")
"""How a scene can be written."""

USUAL: Final[dict[str, tuple[int, int]]] = {
    "or": (5, 4),
    "interview": (2, 1),
    "walk": (2, 2),
    "crowd": (8, 2),
}
"""People and cameras of each preset where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """A scene and how to write it.

    Attributes:
        folder: where to; new or empty.
        preset: ``or``, ``interview``, ``walk`` or ``crowd``.
        people, cameras: None takes what is usual for the preset.
        width, height: pixels.
        hand_held: carry the first camera.
        occluder: slide a card of this width, as a share of the picture's height, before the first camera.
        light_swing: the share by which the light rises and falls within two seconds.
        layout: one of :data:`LAYOUTS`.
        clouds, vertices: of the layout ``understudy``: write point clouds, write every body's vertices.
        feet: of the layout ``coco``: write COCO-WholeBody's feet too.
    """

    folder: Path
    preset: str = "or"
    people: int | None = None
    cameras: int | None = None
    seconds: float = 20.0
    fps: float = 25.0
    width: int = 1280
    height: int = 720
    seed: int = 0
    layout: str = "understudy"
    clouds: bool = True
    vertices: bool = False
    feet: bool = False
    hand_held: bool = False
    occluder: float | None = None
    light_swing: float = 0.0
