"""``bench plate``: the empty room against the truth, the plain median and the first plate."""

from __future__ import annotations

import time
from typing import Annotated, Any

import numba
import numpy as np
import numpy.typing as npt
import typer

from app.cli import console
from app.cli.bench.plate_moving import moving_rows, moving_scenes
from app.cli.bench.plate_scene import Case, rendered, with_lamp_and_door, without_shadows
from app.cli.bench.plate_scores import row, scores
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible
from backends.background import Light, Plate, fill, light_of, survey
from backends.background.light import gains_to_one_light

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Array = Any

_PEOPLE = 6
_STILL = (
    "Room: the background where people ever were and it was seen at some time, its light evened out. Shown: "
    "the pictures without people in their own light, where people were and the room was seen; filled: where "
    "it never was, and how much of the truth's edges is in it (fog has none, decibels reward it). Against "
    "the exact room without noise. The first plate: a masked median with one gain a picture, filled by push "
    "and pull."
)
_MOVING = (
    "People are pasted into the truth. Shown: where people were and another picture shows the room; filled: "
    "where none does; all: both together, the same pixels for every way. Flicker: levels by which the "
    "difference from the truth changes from one picture to the next at the same place of the room. Telea: "
    "each picture by itself (OpenCV)."
)


def plate(
    frames: Annotated[int, typer.Option(min=12, max=240, help="Frames of each scene.")] = 60,
    moving: Annotated[
        bool, typer.Option("--moving", help="Cameras that are carried, turn, zoom and follow; minutes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The room behind six people at 1280x720 (targets: room 42 dB in 3 s, shown 40 dB)."""
    rows: list[dict[str, Any]] = []
    with Interruptible() as control:
        if moving:
            for name, scene in moving_scenes(frames, control.check):
                console.err.print(f"Drawing what a camera sees: {name}")
                rows += moving_rows(name, scene())
        else:
            console.err.print("Drawing rooms with people")
            room = rendered("or", _PEOPLE, frames, 2.0, control.check)
            pasted = without_shadows(room)
            rows += _still("fixed camera", pasted)
            rows += _still("with people's shadows", room)
            rows += _still("lamp and door halfway", with_lamp_and_door(pasted))
    if moving:
        report(f"plate, {frames} frames, cameras that move", rows, as_json, _MOVING)
    else:
        report(f"plate, {frames} frames, {_PEOPLE} people, light swings by 6 %", rows, as_json, _STILL)


def _still(name: str, case: Case) -> list[dict[str, Any]]:
    images, hidden, n = np.stack([f.rgb for f in case.frames]), case.hidden, len(case.frames)
    _first_plate(images[:5, :40, :40], hidden[:5, :40, :40])  # compiles
    survey(range(0, n, n // 6), lambda i: case.frames[i])
    begun = time.perf_counter()
    median = np.median(images, axis=0).astype(np.uint8)
    median_s = time.perf_counter() - begun
    plain = Plate(median, np.ones(median.shape[:2], np.bool_), 1.0)
    begun = time.perf_counter()
    first = _first_plate(images, hidden)
    first_s = time.perf_counter() - begun
    begun = time.perf_counter()
    ours = survey(range(n), lambda i: case.frames[i])
    ours_s = time.perf_counter() - begun
    return [
        row(f"{name}: plain median", median_s, median_s, scores([plain] * n, case, _as_it_is)),
        row(f"{name}: the first plate", first_s, median_s, scores([first] * n, case, _evenly)),
        row(f"{name}: Understudy", ours_s, median_s,
             scores([ours.at(i) for i in range(n)], case, light_of)),
    ]  # fmt: skip


def _as_it_is(frame: U1, room: Plate, hidden: BoolArray) -> Light:
    return Light(np.ones(3, np.float32), None, hidden.shape)


def _evenly(frame: U1, room: Plate, hidden: BoolArray) -> Light:
    """One gain for the whole picture."""
    return Light(light_of(frame, room, hidden).gain, None, hidden.shape)


def _first_plate(images: U1, hidden: BoolArray) -> Plate:
    """The plate as it first was: medians of pixels without people, one gain a picture, push and pull."""
    gains = gains_to_one_light(images, hidden)
    rgb, seen = np.zeros(images.shape[1:], np.uint8), np.zeros(hidden.shape[1:], np.bool_)
    _medians(images, hidden, gains, rgb, seen)
    return Plate(fill(rgb, seen), seen, float(seen.mean()))


@numba.njit(cache=True, nogil=True)
def _medians(images: Array, hidden: Array, gains: Array, rgb: Array, seen: Array) -> None:
    n, height, width = hidden.shape
    values = np.empty((3, n), np.float32)
    for y in range(height):
        for x in range(width):
            count = 0
            for i in range(n):
                if not hidden[i, y, x]:
                    for c in range(3):
                        values[c, count] = images[i, y, x, c] * gains[i, c]
                    count += 1
            if count:
                seen[y, x] = True
                for c in range(3):
                    rgb[y, x, c] = min(int(np.median(values[c, :count]) + 0.5), 255)
