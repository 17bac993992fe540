"""``bench plate``: the empty room against the truth, the plain median and the first plate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numba
import numpy as np
import numpy.typing as npt
import typer

from app.cli import console
from app.cli.bench.plate_scene import Case, rendered, with_lamp_and_door, without_shadows
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible
from backends.background import Light, MovingRoom, Plate, fill, light_of, survey
from backends.background.light import gains_to_one_light
from backends.metrics.pictures import psnr

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
Array = Any
Lighting = Callable[[U1, Plate, BoolArray], Light]

_PEOPLE = 6
_COLUMNS = ("room_dB", "shown_dB", "filled_dB", "filled_edges_percent", "never_seen_percent")


def plate(
    frames: Annotated[int, typer.Option(min=12, max=240, help="Frames of each scene.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """The room behind six people at 1280x720 (targets: room 42 dB in 3 s, shown 40 dB)."""
    rows: list[dict[str, Any]] = []
    with Interruptible() as control:
        console.err.print("Drawing rooms with people")
        room = rendered("or", _PEOPLE, frames, 2.0, control.check)
        pasted = without_shadows(room)
        rows += _still("fixed camera", pasted)
        rows += _still("with people's shadows", room)
        rows += _still("lamp and door halfway", with_lamp_and_door(pasted))
        console.err.print("Drawing what a camera in a hand sees")
        rows += _moving(rendered("crowd", _PEOPLE, frames, 25.0, control.check, hand_held=True))
    note = (
        "Room: the background where people ever were and it was seen at some time, its light evened out. "
        "Shown: the pictures without people in their own light, where people were and the room was seen; "
        "filled: where it never was, and how much of the truth's edges is in it (fog has none, decibels "
        "reward it). Against the exact room without noise. The first plate: a masked median with one gain a "
        "picture, filled by push and pull."
    )
    report(f"plate, {frames} frames, {_PEOPLE} people, light swings by 6 %", rows, as_json, note)


def _row(what: str, seconds: float, first: float, numbers: dict[str, float]) -> dict[str, Any]:
    """Columns are the same in every row; what was not measured is NaN."""
    row: dict[str, Any] = {"what": what, **{c: numbers.get(c, float("nan")) for c in _COLUMNS}}
    return {**row, "seconds": seconds, "times_as_long": seconds / first}


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
        _row(f"{name}: plain median", median_s, median_s, _scores([plain] * n, case, _as_it_is)),
        _row(f"{name}: the first plate", first_s, median_s, _scores([first] * n, case, _evenly)),
        _row(f"{name}: Understudy", ours_s, median_s,
             _scores([ours.at(i) for i in range(n)], case, light_of)),
    ]  # fmt: skip


def _scores(rooms: Sequence[Plate], case: Case, lighting: Lighting) -> dict[str, float]:
    """The columns of a room for each picture (the same for many, of a fixed camera)."""
    seen_errors, filled_errors = [], []
    edges, true_edges = 0.0, 0.0
    height, width = case.truth.shape[1:3]
    whole = (slice(0, height), slice(0, width))
    for frame, room, truth in zip(case.frames, rooms, case.truth):
        shown = lighting(frame.rgb, room, frame.hidden).on(room.rgb, whole)
        squared = (shown.astype(np.float32) - truth) ** 2
        seen_errors.append(squared[frame.hidden & room.seen].ravel())
        filled = frame.hidden & ~room.seen
        filled_errors.append(squared[filled].ravel())
        edges += float(_steepness(shown)[filled].sum())
        true_edges += float(_steepness(truth)[filled].sum())
    scores = {"shown_dB": _decibels(seen_errors), "filled_dB": _decibels(filled_errors)}
    scores["filled_edges_percent"] = 100 * edges / true_edges if true_edges > 0 else float("nan")
    unseen = [float((~r.seen).mean()) for r in rooms]
    scores["never_seen_percent"] = 100 * float(np.mean(unseen))
    if not rooms[0].lit:
        scores["room_dB"] = _room(rooms[0], case)
    return scores


def _steepness(picture: U1) -> npt.NDArray[np.float32]:
    """(H, W) how steeply brightness changes."""
    grey = picture.astype(np.float32).mean(axis=2)
    return np.asarray(np.hypot(*np.gradient(grey)), np.float32)


def _decibels(squared: Sequence[npt.NDArray[np.float32]]) -> float:
    every = np.concatenate(squared) if squared else np.zeros(0)
    return float(10 * np.log10(255.0**2 / max(float(every.mean()), 1e-9))) if len(every) else float("nan")


def _room(room: Plate, case: Case) -> float:
    """PSNR of the room where people ever were, against the first picture's truth, light evened out."""
    under = case.hidden.any(axis=0) & room.seen
    truth = case.truth[0]
    gain = np.median(truth[under] / np.maximum(room.rgb[under], 1.0), axis=0)
    even = np.clip(room.rgb * gain + 0.5, 0, 255).astype(np.uint8)
    return psnr(even, truth, under)


def _as_it_is(frame: U1, room: Plate, hidden: BoolArray) -> Light:
    return Light(np.ones(3, np.float32), None, hidden.shape)


def _evenly(frame: U1, room: Plate, hidden: BoolArray) -> Light:
    """One gain for the whole picture."""
    return Light(light_of(frame, room, hidden).gain, None, hidden.shape)


def _moving(case: Case) -> list[dict[str, Any]]:
    n = len(case.frames)
    list(MovingRoom().rooms(case.frames[:6]))  # compiles
    begun = time.perf_counter()
    blurred = [
        Plate(fill(f.rgb, ~f.hidden), np.ones(f.hidden.shape, np.bool_), 1.0, lit=True) for f in case.frames
    ]
    blurred_s = time.perf_counter() - begun
    begun = time.perf_counter()
    rooms = list(MovingRoom().rooms(case.frames))
    ours_s = time.perf_counter() - begun
    name = "camera in a hand"
    every = [Plate(r.rgb, np.ones_like(r.seen), 1.0, lit=True) for r in rooms]
    shown = {**_scores(rooms, case, light_of)}
    return [
        _row(f"{name}: surroundings blurred", blurred_s, blurred_s, _scores(blurred, case, light_of)),
        _row(f"{name}: Understudy, {n / ours_s:.1f} frames/s", ours_s, blurred_s, shown),
        _row(f"{name}: Understudy, filled included", ours_s, blurred_s, _scores(every, case, light_of)),
    ]


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
