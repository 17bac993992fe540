"""Where the truth of a data set has the 14 joints of agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.datasets.types import TruePerson
from backends.body import BodyModel, posed_keypoints
from backends.camera import Camera
from backends.confidence.agreement import AGREEMENT_JOINTS, N_JOINTS
from backends.keypoints.layout import KEYPOINT_NAMES

F8 = npt.NDArray[np.float64]

_LEAST_2D, _LEAST_3D = 8, 8
"""Of 14 joints: with fewer a layout says too little to compare with."""


@dataclass(frozen=True, slots=True, eq=False)
class TrueJoints:
    """The truth about one person, rows of NaN where it says nothing.

    Attributes:
        xy: (14, 2) pixels of the picture. xyz: (14, 3) metres, camera coordinates.
    """

    xy: F8
    xyz: F8


def joints_by_name(points: F8, names: tuple[str, ...]) -> F8:
    """(14, D) out of points (J, D) with names: the head is the nose, and a neck that a layout lacks is the
    middle of its shoulders; NaN for what is not named."""
    place = {name: i for i, name in enumerate(names)}
    found = np.full((N_JOINTS, points.shape[1]), np.nan)
    for j, joint in enumerate(AGREEMENT_JOINTS):
        name = "nose" if joint == "head" else joint
        if name in place:
            found[j] = points[place[name]]
        elif joint == "neck" and {"left_shoulder", "right_shoulder"} <= place.keys():
            found[j] = points[[place["left_shoulder"], place["right_shoulder"]]].mean(axis=0)
    return found


def true_joints(person: TruePerson, camera: Camera | None, body: BodyModel) -> TrueJoints:
    """The 14 joints of a person of a data set: from the layout that knows most of them, else from its
    parameters where they are of the program's own body."""
    xy = _best([_known(p.xy, p.visibility > 0, p.layout.joints) for p in person.points_2d], 2)
    xyz = _best([joints_by_name(p.xyz, p.layout.joints) for p in person.points_3d], 3)
    own = person.params is not None and person.body == "free"
    if own and person.params is not None and person.params.betas.shape == (body.n_betas,):
        points = joints_by_name(posed_keypoints(body, person.params), KEYPOINT_NAMES)
        xyz = points if _count(xyz) < _LEAST_3D else xyz
    if _count(xy) < _LEAST_2D and camera is not None and _count(xyz) >= _LEAST_3D:
        xy = camera.project(xyz)
    return TrueJoints(xy, xyz)


def _known(xy: F8, known: npt.NDArray[np.bool_], names: tuple[str, ...]) -> F8:
    return joints_by_name(np.where(known[:, None], xy, np.nan), names)


def _count(points: F8) -> int:
    return int(np.isfinite(points).all(axis=1).sum())


def _best(candidates: list[F8], dimensions: int) -> F8:
    none: F8 = np.full((N_JOINTS, dimensions), np.nan)
    return max(candidates, key=_count, default=none)
