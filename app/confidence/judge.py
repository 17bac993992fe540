"""One person judged by the agreement of two estimators: the fitted mesh and a second look at the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.confidence.people import Crop, PersonEyes, Seen, joints_14
from app.confidence.truth import TrueJoints
from app.errors import FootageError
from backends.body import posed_keypoints
from backends.camera import Camera
from backends.confidence.agreement import (
    Agreement,
    PublishedNetworks,
    Skeleton,
    compare,
    mesh_error,
    skeleton_from_points23,
)
from backends.confidence.agreement.features import spine_of
from backends.confidence.agreement.model import AgreementModel

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_PX = 112.0
"""Pixels of the crop in half a crop."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the two estimators say of one person, and what follows from it.

    Attributes:
        crop: the person's square; seen: the keypoints and the fitted body in it.
        mesh, keypoints: the 14 joints of the mesh and of the second look, pixels of the crop.
        agreement: their distances.
        good: probability that no joint is farther off than 0.1 half crops.
        worst: (14,) probability of being the worst joint; rows add up to one.
        wrong: (14,) probability of an error above 0.1 half crops.
        expected_mm: (14,) expected error in the picture's plane at the body's distance, mm.
        published: whether ``good`` and ``worst`` are MC's and WJC's of arXiv 2305.17245.
        se: (14,) the true error in half crops where the truth is known, else None.
    """

    crop: Crop
    seen: Seen
    mesh: Skeleton
    keypoints: Skeleton
    agreement: Agreement
    good: float
    worst: F8
    wrong: F8
    expected_mm: F8
    published: bool
    se: F8 | None


def judge(
    image: U1, box: npt.ArrayLike, eyes: PersonEyes, model: AgreementModel,
    networks: PublishedNetworks | None = None, *, camera: Camera | None = None,
    truth: TrueJoints | None = None,
) -> Judgement:  # fmt: skip
    """Fit a body to a person, look a second time (in a mirror), and say how far the two agree.

    Args:
        image: (H, W, 3) uint8 RGB. box: (4,) of the person, pixels of the picture.
        model: ours, for the expected errors; and for ``good`` and ``worst`` where ``networks`` is None.

    Raises:
        FootageError: nobody is recognised in the box, or no body can be fitted.
    """
    crop = eyes.crop(image, box, camera=camera)
    seen = eyes.look(crop.image, crop) if crop is not None else None
    if crop is None or seen is None:
        raise FootageError("Nobody is recognised in this place of the picture. Choose another person.")
    if seen.fit is None:
        raise FootageError("Too little of this person is seen to fit a body. Choose another person.")
    points = posed_keypoints(eyes.body, seen.fit.params)
    mesh = skeleton_from_points23(crop.camera.project(points), np.ones(len(points)))
    keypoints = second_look(eyes, crop)
    agreement = compare(mesh, keypoints)
    said = model.predict(agreement.ed[None], agreement.confidence[None])
    good, worst = float(said.good[0]), said.worst[0].astype(np.float64)
    if networks is not None:
        good, worst = float(networks.good(agreement.ed[None])[0]), networks.worst(agreement.ed[None])[0]
    mm = 1e3 * joints_14(points)[:, 2] / crop.camera.fx
    return Judgement(
        crop, seen, mesh, keypoints, agreement, good, worst, said.wrong[0].astype(np.float64),
        said.error[0] * _PX * mm, networks is not None, _true_error(mesh, crop, truth),
    )  # fmt: skip


def second_look(eyes: PersonEyes, crop: Crop) -> Skeleton:
    """The 14 joints of the keypoint estimator that sees the crop in a mirror; all missing where it sees
    nobody. A network is no mirror of itself: where it guesses, the two looks differ."""
    other = eyes.look(crop.image, crop, mirrored=True, fit=False)
    if other is None:
        return skeleton_from_points23(np.full((23, 2), np.nan), np.zeros(23))
    points = other.estimate.keypoints
    return skeleton_from_points23(points.xy.astype(np.float64), points.score.astype(np.float64))


def _true_error(mesh: Skeleton, crop: Crop, truth: TrueJoints | None) -> F8 | None:
    if truth is None:
        return None
    xy = truth.xy @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]
    spine = spine_of(xy)
    return mesh_error(mesh.xy, xy, mesh.spine, spine) if np.isfinite(spine).all() else None
