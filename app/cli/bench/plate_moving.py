"""The rows of ``bench plate`` for cameras that are carried, turned, zoomed, or follow somebody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.cli.bench.plate_scene import Case, rendered, without_shadows
from app.cli.bench.plate_scores import flicker, row, scores
from backends.background import MaskedFrame, MovingRoom, Plate, fill, light_of

U1 = npt.NDArray[np.uint8]

_FPS = 25.0
_TURNS, _ZOOMS, _TO_AND_FRO_S = 0.22, 1.6, 4.8
"""How far a camera turns to either side, radians; how much it magnifies; in what time it is back."""
_TELEA = 5.0


def moving_scenes(n: int, check: Callable[[], object]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Names of the scenes, and what draws ``n`` pictures of each, people pasted into the truth."""
    from backends.synthetic.cameras import CameraWork

    kinds = (
        ("camera in a hand", "crowd", 6, None),
        ("camera that turns", "or", 6, CameraWork(pan=_TURNS, period_s=_TO_AND_FRO_S)),
        ("camera that zooms", "interview", 2, CameraWork(zoom=_ZOOMS, period_s=_TO_AND_FRO_S)),
        ("camera that follows", "walk", 4, None),
    )
    for name, preset, people, work in kinds:
        draw = partial(rendered, preset, people, n, _FPS, check, hand_held=True, work=work)
        yield name, lambda draw=draw: without_shadows(draw())  # type: ignore[misc]


def moving_rows(name: str, case: Case) -> list[dict[str, Any]]:
    """What is behind people by three ways: blurred, painted from the rim (Telea), and ours."""
    list(MovingRoom().rooms(case.frames[:6]))  # compiles
    blurred, blurred_s = _timed(lambda f: fill(f.rgb, ~f.hidden), case.frames)
    painted, painted_s = _timed(_telea, case.frames)
    begun = time.perf_counter()
    rooms = list(MovingRoom().rooms(case.frames))
    ours_s = time.perf_counter() - begun
    rate = f"{1000 * ours_s / len(case.frames):.0f} ms a frame"
    return [
        row(f"{name}: surroundings blurred", blurred_s, blurred_s, _all(blurred, case)),
        row(f"{name}: Telea", painted_s, blurred_s, _all(painted, case)),
        row(f"{name}: Understudy, {rate}", ours_s, blurred_s, _all(rooms, case)),
    ]


def _all(rooms: Sequence[Plate], case: Case) -> dict[str, float]:
    return {**scores(rooms, case, light_of), "flicker": flicker([r.rgb for r in rooms], case)}


def _telea(frame: MaskedFrame) -> U1:
    """Telea, An image inpainting technique based on the fast marching method, 2004."""
    found = cv2.inpaint(frame.rgb, frame.hidden.view(np.uint8), _TELEA, cv2.INPAINT_TELEA)
    return np.asarray(found, np.uint8)


def _timed(
    one: Callable[[MaskedFrame], U1], frames: Sequence[MaskedFrame]
) -> tuple[list[Plate], float]:  # fmt: skip
    """Each picture by itself, all of what is hidden filled, and the seconds that it took."""
    begun = time.perf_counter()
    rooms = [Plate(one(f), ~f.hidden, float((~f.hidden).mean()), lit=True) for f in frames]
    return rooms, time.perf_counter() - begun
