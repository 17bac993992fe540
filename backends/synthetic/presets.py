"""The scenes that can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backends.errors import InputError
from backends.synthetic import cast
from backends.synthetic.cameras import CORRIDOR, HALL, INTERVIEW, OPERATING, CameraWork, HandHeld, Mount
from backends.synthetic.people import Actor
from backends.synthetic.props import Occluder
from backends.synthetic.scene import Scene
from backends.synthetic.sets import Room, corridor, hall, interview_room, operating_room

MAX_CAMERAS = 6


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of scene: what it shows, how many people it holds, its room, cameras and cast.

    ``hand_held``: where a camera is carried, (eye, target, focal, follows the first person).
    """

    title: str
    people: tuple[int, int]
    room: Callable[[], Room]
    cameras: tuple[Mount, ...]
    cast: Callable[[int, np.random.Generator], list[Actor]]
    hand_held: tuple[tuple[float, float, float], tuple[float, float, float], float, bool]
    carried: bool = False


PRESETS: dict[str, Preset] = {
    "or": Preset(
        "an operating room with staff at work", (0, 8), operating_room, OPERATING, cast.operating_staff,
        ((0.3, -3.6, 1.62), (0.0, 0.4, 1.05), 0.80, False),
    ),
    "interview": Preset(
        "one or two people who sit and talk", (0, 2), interview_room, INTERVIEW, cast.interview_partners,
        ((0.1, -2.6, 1.45), (0.0, 0.4, 0.88), 0.95, False),
    ),
    "walk": Preset(
        "people in a corridor, the first camera carried", (0, 6), corridor, CORRIDOR, cast.walkers,
        ((-0.5, -4.0, 1.60), (0.0, 0.0, 1.0), 1.0, True), carried=True,
    ),
    "crowd": Preset(
        "people who cross an entrance hall", (0, 8), hall, HALL, cast.crowd,
        ((0.4, -5.2, 1.65), (0.0, 1.0, 1.0), 0.8, False),
    ),
}  # fmt: skip


def open_scene(
    preset: str, *, people: int | None = None, cameras: int = 1, seconds: float = 10.0, fps: float = 25.0,
    width: int = 1280, height: int = 720, seed: int = 0, hand_held: bool = False,
    occluder: Occluder | None = None, light_swing: float = 0.0, work: CameraWork | None = None,
) -> Scene:  # fmt: skip
    """A scene by name, ready to be drawn.

    Args:
        preset: ``or``, ``interview``, ``walk`` or ``crowd``.
        people: how many; a usual number by default.
        cameras: 1 to 6.
        seconds, fps: how long, and frames a second.
        width, height: of every picture, pixels.
        seed: the same gives the same truth and the same pictures.
        hand_held: carry the first camera; in ``walk`` it always is.
        occluder: a card that slides before the first camera.
        light_swing: share by which the light rises and falls within two seconds, 0 to 0.5.
        work: how a carried camera is turned and zoomed.

    Raises:
        InputError: a scene that cannot be.
    """
    if preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; choose one of {', '.join(PRESETS)}")
    found = PRESETS[preset]
    few, many = found.people
    people = min(4, many) if people is None else people
    if not few <= people <= many:
        raise InputError(f"the preset {preset!r} holds up to {many} people, not {people}")
    if not 1 <= cameras <= MAX_CAMERAS:
        raise InputError(f"a scene has 1 to {MAX_CAMERAS} cameras, not {cameras}")
    if not (np.isfinite(seconds) and np.isfinite(fps) and seconds > 0 and 1 <= fps <= 240):
        raise InputError(f"a scene needs a length and 1 to 240 frames a second, not {seconds} s at {fps}")
    if not (64 <= width <= 8192 and 64 <= height <= 8192):
        raise InputError(f"pictures of {width} x {height} cannot be drawn; choose 64 to 8192 pixels a side")
    rng = np.random.default_rng([seed, 1])
    rigs: list[Mount | HandHeld] = list(found.cameras[:cameras])
    if hand_held or found.carried:
        eye, target, focal, follow = found.hand_held
        rigs[0] = HandHeld(eye, target, focal, np.random.default_rng([seed, 2]), follow=follow, work=work)
    return Scene(
        preset, found.room(), found.cast(people, rng), rigs,
        seconds=seconds, fps=fps, width=width, height=height, seed=seed, occluder=occluder,
        light_swing=light_swing,
    )  # fmt: skip
