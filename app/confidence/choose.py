"""Which person of a picture is meant, and what a data set knows of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.confidence.people import PersonEyes
from app.confidence.truth import TrueJoints, true_joints
from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.datasets.types import TruthView
from app.errors import FootageError
from backends.body import BodyModel
from backends.keypoints.types import PoseEstimate

U1 = npt.NDArray[np.uint8]

_SAME_PLACE = 0.5
"""Longer sides of the box between two middles."""


def largest_people(eyes: PersonEyes, picture: U1, number: int) -> PoseEstimate:
    """The person ``number`` (from 1) of a picture, the largest first.

    Raises:
        FootageError: there are not so many.
    """
    people = eyes.people(picture)
    if not people:
        raise FootageError("Nobody was found in the picture. Choose one in which a person is well seen.")
    if number > len(people):
        raise FootageError(f"There is no person {number}: {len(people)} found in the picture.")
    return people[number - 1]


def truth_of(path: Path, image: Path, frame: int, box: npt.ArrayLike, body: BodyModel) -> TrueJoints:
    """What a data set says about the person in a box (4,) of a picture of its.

    Raises:
        DataSetError: it does not know the picture, or nobody there with joints.
    """
    truth = open_truth(path)
    for view in truth.views:
        index = _index_in(view, image, frame)
        if index is None:
            continue
        true_frame = view.frame(index)
        known = [true_joints(p, true_frame.camera, body) for p in true_frame.people]
        inside = [(_away(j, box), i) for i, j in enumerate(known) if np.isfinite(j.xy).any()]
        if inside and min(inside)[0] < _SAME_PLACE:
            return known[min(inside)[1]]
        raise DataSetError(f"{path.name} knows nobody with joints in this place of {image.name}.")
    raise DataSetError(f"{path.name} does not hold {image.name}; choose a picture of the data set.")


def _index_in(view: TruthView, image: Path, frame: int) -> int | None:
    """Which frame of a view a picture, or frame ``frame`` of a video, is."""
    wanted = image.resolve()
    if isinstance(view.source, tuple):
        pictures = [p.resolve() for p in view.source]
        return pictures.index(wanted) if wanted in pictures else None
    if view.source is None or view.source.resolve() != wanted or frame >= view.n_frames:
        return None
    return frame


def _away(joints: TrueJoints, box: npt.ArrayLike) -> float:
    """How far the joints' middle lies from the box's, in longer sides of the box."""
    x0, y0, x1, y1 = np.asarray(box, np.float64)
    middle = np.nanmean(joints.xy, axis=0)
    side = max(x1 - x0, y1 - y0, 1.0)
    return float(np.hypot(middle[0] - (x0 + x1) / 2, middle[1] - (y0 + y1) / 2) / side)
