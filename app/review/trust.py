"""What the confidence panel shows: how the expected errors are spread, and what they were worth on truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from app.review.lanes import Series

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_MEASURED: Final = Path(__file__).resolve().parents[2] / "resources" / "confidence" / "expected_error.json"
"""What ``understudy confidence-model evaluate --json`` said of the model that ships."""

_STEP_MM, _LAST_MM = 10.0, 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Expected errors of keypoints.

    Attributes:
        edges: (B + 1,) mm, the last bin takes everything beyond. counts: (B,).
        within: share within the tolerance. middle: median, mm. n: how many.
    """

    edges: F8
    counts: I8
    within: float
    middle: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How well the expected errors did on scenes with truth that nothing was learned from.

    Attributes:
        predicted, observed: (K,) probability of being within ``tolerance_mm``, and the share that was.
        ece: expected calibration error. held: share of errors under the bound of nine in ten.
        held_by: the same of what is visible, occluded and truncated. joints, scenes: how much it rests on.
    """

    predicted: F8
    observed: F8
    tolerance_mm: float
    ece: float
    held: float
    held_by: tuple[tuple[str, float], ...]
    joints: int
    scenes: int


def histogram(series: Series, tracks: list[int], tolerance_mm: float) -> Histogram | None:
    """Of all keypoints of these people in all frames; None where there are none."""
    some = [series.tracks[t].keypoint_mm for t in tracks if t in series.tracks]
    values = np.concatenate([s.reshape(-1) for s in some]).astype(np.float64) if some else np.zeros(0)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    edges = np.arange(0.0, _LAST_MM + _STEP_MM / 2, _STEP_MM)
    counts = np.histogram(np.minimum(values, _LAST_MM - 1e-6), edges)[0].astype(np.int64)
    within = float((values <= tolerance_mm).mean())
    return Histogram(edges, counts, within, float(np.median(values)), len(values))


@lru_cache(maxsize=1)
def measured() -> Measured | None:
    """What was measured of the model that ships; None where the file is missing or makes no sense."""
    try:
        said = json.loads(_MEASURED.read_text(encoding="utf-8"))
        curve, rows = said["reliability"], {r["name"]: r for r in said["rows"]}
        states = ("visible", "occluded", "truncated")
        return Measured(
            np.asarray(curve["predicted"], np.float64), np.asarray(curve["observed"], np.float64),
            float(curve["tolerance_mm"]), float(rows["all"]["ece50"]), float(rows["all"]["held"]),
            tuple((s, float(rows[s]["held"])) for s in states if s in rows), int(rows["all"]["n"]),
            int(said["scenes"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None
