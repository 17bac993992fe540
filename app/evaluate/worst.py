"""The frames with the largest errors, and their pictures where the footage is there."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.errors import FootageError
from app.evaluate.pictures import draw_worst
from app.evaluate.report import WorstFrame
from app.evaluate.samples import Pair, Samples
from app.evaluate.space import ROOT, SetErrors
from app.footage import Footage
from app.pipeline.events import Listener, StageStarted
from app.pipeline.job import Control
from app.project.store import ProjectStore
from app.review.opening import open_project
from backends.body import BodyModel
from backends.metrics.joint_sets import JointSet

F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]

LISTED = 6
"""So many are named, drawn or not."""
_APART_S = 0.5


@dataclass(frozen=True, slots=True)
class Drawer:
    """What drawing a frame needs."""

    store: ProjectStore
    body: BodyModel
    tolerance_mm: float
    control: Control
    listener: Listener

    def draw(self, footage: Footage, pair: Pair, joints: JointSet) -> U1 | None:
        """The picture of one person in one frame."""
        self.control.check()
        record = self.store.person(pair.frame, pair.track)
        if record is None:
            return None
        return draw_worst(
            footage, pair.frame, self.body, self.store.camera(), record, joints, pair.truth[joints.name],
            pair.estimate[joints.name], self.tolerance_mm,
        )  # fmt: skip


def worst_frames(
    samples: Samples, every: list[SetErrors], times_s: F8, drawer: Drawer, pictures: int
) -> tuple[tuple[WorstFrame, ...], list[str]]:
    """Who has the largest root-relative error when, a person's moments half a second apart; and warnings.

    Args:
        times_s: (F,) when the frames compared are shown.
        pictures: how many to draw.
    """
    if not every:
        return (), []
    errors = every[0]
    each = np.array([np.nanmean(r) if np.isfinite(r).any() else np.nan for r in errors.rooted])
    chosen: list[int] = []
    for i in np.argsort(-each, kind="stable"):
        # Neighbours in time show the same fault of the same person again.
        if np.isfinite(each[i]) and all(_apart(samples.pairs[i], samples.pairs[k], times_s) for k in chosen):
            chosen.append(int(i))
        if len(chosen) >= max(pictures, LISTED):
            break
    warnings: list[str] = []
    with ExitStack() as stack:
        footage = None
        if pictures:
            drawer.listener(StageStarted("pictures", "Drawing the worst frames"))
            try:
                store, footage = open_project(drawer.store.path)
                stack.callback(store.close)
                stack.callback(footage.close)
            except FootageError as error:
                warnings.append(f"The worst frames are not drawn: {error}")
        found = []
        for k, i in enumerate(chosen):
            pair = samples.pairs[i]
            picture = (
                drawer.draw(footage, pair, errors.joints) if footage is not None and k < pictures else None
            )
            found.append(
                WorstFrame(
                    pair.frame, float(times_s[pair.row]), pair.person, pair.track, float(each[i]),
                    f"MPJPE, {errors.label}, aligned at the {ROOT}", picture,
                )
            )  # fmt: skip
    return tuple(found), warnings


def _apart(a: Pair, b: Pair, times_s: F8) -> bool:
    return a.person != b.person or abs(float(times_s[a.row] - times_s[b.row])) >= _APART_S
