"""How near empty rooms come to the truth, for ``bench plate``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.cli.bench.plate_scene import Case
from backends.background import Light, Plate
from backends.metrics.pictures import psnr

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Lighting = Callable[[U1, Plate, BoolArray], Light]

COLUMNS = (
    "room_dB", "all_dB", "shown_dB", "filled_dB", "filled_edges_percent", "never_seen_percent", "flicker",
)  # fmt: skip


def row(what: str, seconds: float, first: float, numbers: dict[str, float]) -> dict[str, Any]:
    """Columns are the same in every row; what was not measured is NaN."""
    made: dict[str, Any] = {"what": what, **{c: numbers.get(c, float("nan")) for c in COLUMNS}}
    return {**made, "seconds": seconds, "times_as_long": seconds / first}


def scores(rooms: Sequence[Plate], case: Case, lighting: Lighting) -> dict[str, float]:
    """The columns of a room for each picture (the same for many, of a fixed camera)."""
    seen_errors, filled_errors, errors = [], [], []
    edges, true_edges = 0.0, 0.0
    height, width = case.truth.shape[1:3]
    whole = (slice(0, height), slice(0, width))
    for frame, room, truth in zip(case.frames, rooms, case.truth):
        shown = lighting(frame.rgb, room, frame.hidden).on(room.rgb, whole)
        squared = (shown.astype(np.float32) - truth) ** 2
        errors.append(squared[frame.hidden].ravel())
        seen_errors.append(squared[frame.hidden & room.seen].ravel())
        filled = frame.hidden & ~room.seen
        filled_errors.append(squared[filled].ravel())
        edges += float(steepness(shown)[filled].sum())
        true_edges += float(steepness(truth)[filled].sum())
    found = {
        "all_dB": decibels(errors), "shown_dB": decibels(seen_errors), "filled_dB": decibels(filled_errors),
        "filled_edges_percent": 100 * edges / true_edges if true_edges > 0 else float("nan"),
    }  # fmt: skip
    unseen = [float((~r.seen).mean()) for r in rooms]
    found["never_seen_percent"] = 100 * float(np.mean(unseen))
    if not rooms[0].lit:
        found["room_dB"] = _room(rooms[0], case)
    return found


def steepness(picture: U1) -> npt.NDArray[np.float32]:
    """(H, W) how steeply brightness changes."""
    grey = picture.astype(np.float32).mean(axis=2)
    return np.asarray(np.hypot(*np.gradient(grey)), np.float32)


def decibels(squared: Sequence[npt.NDArray[np.float32]]) -> float:
    every = np.concatenate(squared) if squared else np.zeros(0)
    return float(10 * np.log10(255.0**2 / max(float(every.mean()), 1e-9))) if len(every) else float("nan")


def _room(room: Plate, case: Case) -> float:
    """PSNR of the room where people ever were, against the first picture's truth, light evened out."""
    under = case.hidden.any(axis=0) & room.seen
    truth = case.truth[0]
    gain = np.median(truth[under] / np.maximum(room.rgb[under], 1.0), axis=0)
    even = np.clip(room.rgb * gain + 0.5, 0, 255).astype(np.uint8)
    return psnr(even, truth, under)


def flicker(rooms: Sequence[U1], case: Case) -> float:
    """Levels by which the difference from the truth changes from one picture to the next, where people are.

    The next picture's difference is compared with the one before at the same place of the room: where the
    truth's own dense optical flow says. The truth has 0; so has an error that stays as it is.
    """
    follow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    h, w = case.truth.shape[1:3]
    grid = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1).astype(np.float32)
    grey = [np.asarray(cv2.cvtColor(t, cv2.COLOR_RGB2GRAY)) for t in case.truth]
    off = [room.astype(np.float32) - truth for room, truth in zip(rooms, case.truth)]
    changes = []
    for k in range(1, len(rooms)):
        back = grid + np.asarray(follow.calc(grey[k], grey[k - 1], None), np.float32)
        before = cv2.remap(off[k - 1], back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        hidden = case.frames[k - 1].hidden.view(np.uint8)
        both = case.frames[k].hidden & (np.asarray(cv2.remap(hidden, back, None, cv2.INTER_NEAREST)) > 0)
        changes.append(np.abs(off[k] - before).mean(axis=2)[both])
    every = np.concatenate(changes) if changes else np.zeros(0)
    return float(every.mean()) if len(every) else float("nan")
