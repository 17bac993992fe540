"""Confidence as a table: one row a person and frame."""

from __future__ import annotations

import csv
from pathlib import Path

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.types import ExportSource, Step, Written
from app.project.records import FittedBody
from backends.confidence.expected import keypoint_bounds, make_sites
from backends.fitting import self_penetration
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import Source

HEADER = (
    "frame", "time_s", "person", "reviewed", "mean_error_mm", "reprojection_rms_px", "presence",
    *(f"{n}_error_mm" for n in KEYPOINT_NAMES), *(f"{n}_error_90_mm" for n in KEYPOINT_NAMES),
    "placed_by_hand", "self_overlap_mm", "self_overlap",
)  # fmt: skip


def write_table(source: ExportSource, target: Path, step: Step) -> Written:
    """Write ``target`` (csv, UTF-8). Errors are expected errors in mm; nine of ten stay under ``error_90``.
    Empty where there is no body, or no bound in a project of an earlier version. ``self_overlap_mm`` tells
    how deep a limb passes through another part of the same body, ``self_overlap`` which (the joints that move
    the two); empty where none does.

    People are numbers: the names that somebody gave them in the window stay in the project.

    Raises:
        ExportError, StorageError: it cannot be written or read back.
    """
    count = 0
    with written_whole(target) as part:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            for frame, people in source.people(step):
                for person in people:
                    c, b = person.confidence, person.body
                    bounds = keypoint_bounds(make_sites(source.body), c) if c is not None else None
                    by_hand = person.estimate.keypoints.source == Source.PERSON
                    writer.writerow(
                        [
                            frame, f"{source.footage.times[frame]:.6f}", person.track_id,
                            int(person.reviewed),
                            f"{c.mean_mm:.1f}" if c is not None else "",
                            f"{b.rms_px:.2f}" if b is not None else "",
                            f"{person.estimate.score:.3f}",
                            *([f"{v:.1f}" for v in c.keypoint_mm] if c is not None
                              else [""] * len(KEYPOINT_NAMES)),
                            *([f"{v:.1f}" if v == v else "" for v in bounds] if bounds is not None
                              else [""] * len(KEYPOINT_NAMES)),
                            " ".join(n for n, h in zip(KEYPOINT_NAMES, by_hand) if h),
                            *_overlap(source, b),
                        ]
                    )  # fmt: skip
                    count += 1
        with part.open(newline="", encoding="utf-8") as file:
            if sum(1 for _ in csv.reader(file)) != count + 1:
                raise ExportError("The written table cannot be read back. Export again.")
    return Written("csv", target, count, "rows")


def _overlap(source: ExportSource, body: FittedBody | None) -> tuple[str, str]:
    """The deepest place where a body passes through itself: millimetres, and the two parts."""
    found = self_penetration(source.body, body.params) if body is not None else ()
    if not found:
        return "", ""
    return f"{found[0].depth_mm:.0f}", f"{found[0].part} in {found[0].other}"
