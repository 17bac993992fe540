"""Can movements still be read? The networks look at the de-identified video as they did at the original.

People are paired one to one, frame by frame, so that the sum of similarities (OKS) is largest; only keypoints
that were visible in the original count; whoever is not found again counts as 0. Networks do not even find
everybody again in the original when it is encoded once more: that is what a de-identified video can reach at
best, and it is measured beside it.

The networks also see people in the original who are not there: a second skeleton on one person, arms and
legs of two put together. These cannot be found again and should not be. They count all the same; where the
truth is known, the figure without them stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from app.evaluate.people import LEAST_SIMILAR, SIGMAS, TrueSide
from backends.keypoints.layout import INDEX
from backends.keypoints.types import PoseEstimate, Visibility
from backends.metrics.pose2d import oks_matrix, oks_sigmas

FOUND = 0.5
"""A person counts as found again from this similarity on."""
_AREA_OF_BOX = 0.53
"""A person's area as a share of their box, where no outline is known (COCO)."""
_JOINTS = tuple(INDEX)[:17]


def _counted(before: Sequence[PoseEstimate]) -> list[PoseEstimate]:
    """Of whom a keypoint is visible."""
    return [p for p in before if (p.keypoints.visibility[:17] == Visibility.VISIBLE).any()]


def somebody(before: Sequence[PoseEstimate], truths: Sequence[TrueSide]) -> list[bool]:
    """Of everybody ``before`` of whom a keypoint is visible, in order, whether it is one of the true people:
    one to one, so that a second skeleton on the same person is nobody. A bad pose of somebody is somebody."""
    people = _counted(before)
    real = [False] * len(people)
    if people and truths:
        matrix = oks_matrix(
            np.array([p.keypoints.xy for p in people]), np.array([t.xy for t in truths]),
            np.array([t.labelled for t in truths]), np.array([t.area for t in truths]), SIGMAS,
        )  # fmt: skip
        matrix = np.nan_to_num(matrix)
        for row, column in zip(*linear_sum_assignment(-matrix)):
            real[int(column)] = bool(matrix[row, column] >= LEAST_SIMILAR)
    return real


def similarity(before: Sequence[PoseEstimate], after: Sequence[PoseEstimate]) -> list[float]:
    """Of everybody ``before`` of whom a keypoint is visible, in order, the OKS with their own counterpart
    ``after``; 0 where there is none. COCO's 17 points."""
    people = _counted(before)
    if not people or not after:
        return [0.0] * len(people)
    truths = np.array([p.keypoints.xy[:17] for p in people])
    labelled = np.array([p.keypoints.visibility[:17] == Visibility.VISIBLE for p in people])
    sides = [np.maximum(p.box[2:] - p.box[:2], 1.0) for p in people]
    areas = [_AREA_OF_BOX * float(w * h) for w, h in sides]
    found = np.array([p.keypoints.xy[:17] for p in after])
    matrix = oks_matrix(found, truths, labelled, areas, oks_sigmas(_JOINTS))
    values = [0.0] * len(people)
    for row, column in zip(*linear_sum_assignment(-matrix)):
        values[int(row)] = float(matrix[row, column])
    return values


@dataclass
class Utility:
    """Similarities over a clip.

    Attributes:
        oks: of everybody in every frame, with the video in question.
        again: of the same, with the original encoded once more.
        real: of the same, whether it is somebody; empty where no truth is known.
    """

    oks: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    real: list[bool] = field(default_factory=list)

    def add(
        self, before: Sequence[PoseEstimate], again: Sequence[PoseEstimate], after: Sequence[PoseEstimate],
        truths: Sequence[TrueSide] | None = None,
    ) -> None:  # fmt: skip
        """One frame: the original, the original encoded once more, the video in question, and who is truly
        there, None where nobody knows."""
        self.oks += similarity(before, after)
        self.again += similarity(before, again)
        if truths is not None:
            self.real += somebody(before, truths)

    @property
    def mean(self) -> float:
        """Over everybody, who is not found counts 0; NaN without anybody."""
        return float(np.mean(self.oks)) if self.oks else float("nan")

    @property
    def found(self) -> float:
        """Share of people found again; NaN without anybody."""
        return float(np.mean(np.array(self.oks) >= FOUND)) if self.oks else float("nan")

    @property
    def steady(self) -> float:
        """Mean over those whom the networks find again in the original itself; NaN without any."""
        kept = np.array(self.oks)[np.array(self.again) >= FOUND] if self.oks else np.zeros(0)
        return float(kept.mean()) if len(kept) else float("nan")

    @property
    def of_people(self) -> float:
        """Mean over those who are somebody; NaN without any, and where no truth is known."""
        kept = np.array(self.oks)[np.array(self.real, np.bool_)] if self.real else np.zeros(0)
        return float(kept.mean()) if len(kept) else float("nan")

    @property
    def nobody(self) -> float:
        """Share of those in the original who are nobody; NaN where no truth is known."""
        return 1 - float(np.mean(self.real)) if self.real else float("nan")
