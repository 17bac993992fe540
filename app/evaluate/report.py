"""What an evaluation says: rows of numbers, what could not be measured, and what to draw."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from backends.metrics.score import Score

F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]

SCHEMA = 1
"""Version of the JSON; it grows when a key changes its meaning or goes away."""

Better = Literal["lower", "higher", ""]
Group = Literal["3d", "2d", "motion", "tracking", "masks", "faces", "pictures", "confidence"]

GROUP_TITLES: dict[Group, str] = {
    "3d": "Bodies in space", "2d": "Keypoints in the picture", "motion": "Motion", "tracking": "Identities",
    "masks": "Masks", "faces": "Faces and coverage", "pictures": "The empty room",
    "confidence": "Confidence",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One number with all that is needed to compare it.

    Attributes:
        key: stable, for programs (``pa_mpjpe``). name: for people.
        value: NaN where no sample was known. unit: ``mm``, ``%`` ..., or "" for plain numbers.
        n, unknown: samples it rests on, and those left out because something is not known there.
        of: what a sample is (``joints``, ``people``, ``frames``).
        joint_set: which joints, how many of the set; "" where joints play no part.
        alignment: what was done to the estimate before the error was taken.
        better: which way is better. note: what else a reader must know.
        perfect: what truth against itself gives; None where there is no such value.
    """

    group: Group
    key: str
    name: str
    value: float
    unit: str
    n: int
    unknown: int
    of: str
    joint_set: str = ""
    alignment: str = ""
    better: Better = ""
    note: str = ""
    perfect: float | None = None

    @property
    def shown(self) -> str:
        """The value as people read it, without its unit."""
        if math.isnan(self.value):
            return "not known"
        if math.isinf(self.value):
            return "infinite"
        if self.unit in ("count", "ms"):
            return f"{self.value:.0f}"
        if self.unit in ("mm", "%", "px", "mm/frame", "mm/frame²", "m/s²", "m/s³", "dB"):
            return f"{self.value:.1f}"
        return f"{self.value:.3f}"


@dataclass(frozen=True, slots=True, eq=False)
class Plots:
    """What the page draws; arrays are empty where there is nothing to draw.

    Attributes:
        errors_mm: (N,) each joint's error in ``errors_of`` (set and alignment in words).
        joints: the joints' names with mean errors ``joint_mm`` (J,) and counts.
        frames: (F,) frame numbers, ``times_s`` (F,), with the mean error ``frame_mm`` (F,) of the people in
            them, NaN where nobody was matched.
        predicted, observed, weight: the reliability diagram of "within the tolerance".
        coverage, risk_mm, oracle_mm: the risk-coverage curve, by the confidence and by the true errors.
        expected_mm, measured_mm: of the same joints.
    """

    errors_mm: F8 = field(default_factory=lambda: np.zeros(0))
    errors_of: str = ""
    joints: tuple[str, ...] = ()
    joint_mm: F8 = field(default_factory=lambda: np.zeros(0))
    frames: F8 = field(default_factory=lambda: np.zeros(0))
    times_s: F8 = field(default_factory=lambda: np.zeros(0))
    frame_mm: F8 = field(default_factory=lambda: np.zeros(0))
    predicted: F8 = field(default_factory=lambda: np.zeros(0))
    observed: F8 = field(default_factory=lambda: np.zeros(0))
    weight: F8 = field(default_factory=lambda: np.zeros(0))
    coverage: F8 = field(default_factory=lambda: np.zeros(0))
    risk_mm: F8 = field(default_factory=lambda: np.zeros(0))
    oracle_mm: F8 = field(default_factory=lambda: np.zeros(0))
    expected_mm: F8 = field(default_factory=lambda: np.zeros(0))
    measured_mm: F8 = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class WorstFrame:
    """A frame with one of the largest errors; ``picture`` (h, w, 3) RGB where it may be and was drawn."""

    frame: int
    time_s: float
    person: int
    track: int
    error_mm: float
    error_of: str
    picture: U1 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How much was compared. People are counted once a frame.

    ``ignored``: true people of whom less than a tenth is seen, and whoever was found there.
    """

    frames: int
    true_people: int
    found_people: int
    matched: int
    ignored: int
    missed: int
    extra: int


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One project weighed against one view's truth.

    Attributes:
        matching: how found and true people were paired, in words.
        rows: the numbers, by group.
        missing: what could not be measured and why: (title, reason).
        warnings: what a reader should know about all of it.
    """

    project: str
    footage: str
    truth: str
    view: str
    program: str
    made_at: str
    fps: float
    tolerance_mm: float
    matching: str
    counts: Counts
    rows: tuple[Row, ...]
    missing: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    plots: Plots
    worst: tuple[WorstFrame, ...]

    def row(self, key: str, joint_set: str = "") -> Row:
        """The first row with this key (and a joint set that starts so).

        Raises:
            KeyError: there is none.
        """
        for row in self.rows:
            if row.key == key and row.joint_set.startswith(joint_set):
                return row
        raise KeyError(f"{key} {joint_set}".strip())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not a number is null."""
        return {
            "schema": SCHEMA, "kind": "understudy-evaluation", "project": self.project,
            "footage": self.footage, "truth": self.truth, "view": self.view, "program": self.program,
            "made_at": self.made_at, "frames_per_second": _plain(self.fps),
            "tolerance_mm": self.tolerance_mm, "matching": self.matching, "counts": asdict(self.counts),
            "metrics": [{k: _plain(v) for k, v in asdict(r).items()} for r in self.rows],
            "per_joint_mm": {n: _plain(float(v)) for n, v in zip(self.plots.joints, self.plots.joint_mm)},
            "per_joint_of": self.plots.errors_of,
            "worst_frames": [
                {"frame": w.frame, "time_s": round(w.time_s, 6), "true_person": w.person, "track": w.track,
                 "error_mm": _plain(w.error_mm), "error_of": w.error_of} for w in self.worst
            ],
            "not_measured": [{"what": what, "why": why} for what, why in self.missing],
            "warnings": list(self.warnings),
        }  # fmt: skip


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def row(group: Group, key: str, name: str, score: Score, unit: str, of: str, **more: Any) -> Row:
    """A row from a score; shares (``%``) are given as the score's [0, 1]."""
    value = 100.0 * score.value if unit == "%" else score.value
    return Row(group, key, name, value, unit, score.n, score.unknown, of, **more)
