"""How far two estimators are apart, joint by joint: the features, targets and labels of arXiv 2305.17245.

Everything lies in a square crop of ``CROP`` pixels. Distances are in half crops: 1 is 112 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.confidence.agreement.joints import (
    AGREEMENT_JOINTS,
    FROM_COCO18,
    FROM_KEYPOINTS23,
    FROM_SPIN49,
    LEFT_HIP,
    N_JOINTS,
    NECK,
    RIGHT_HIP,
    SPIN49_SPINE,
)
from backends.errors import InputError
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints, Visibility

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CROP = 224
SPIN_FOCAL = 5000.0
GOOD_SE = 0.1
"""A joint farther off than this many half crops is wrong; a mesh is good when no joint is."""
_LEAST_CONFIDENCE = 0.1
_LARGEST_SE = 1.0
_MISSING = 224.0
"""Where the published arrays put a keypoint that was not found, pixels."""


def normalise(xy: npt.ArrayLike) -> F8:
    """Crop pixels to half crops about the middle: (x - 112) / 112."""
    return np.asarray((np.asarray(xy, np.float64) - CROP / 2) / (CROP / 2))


def spin_translation(camera: npt.ArrayLike) -> F8:
    """(..., 3) metres: where SPIN's weak-perspective camera (..., 3) = (s, tx, ty) puts the body.

    t = (tx, ty, 2 f / (224 s + 1e-9)) with f = 5000 pixels.
    """
    s, tx, ty = np.moveaxis(np.asarray(camera, np.float64), -1, 0)
    return np.stack([tx, ty, 2.0 * SPIN_FOCAL / (CROP * s + 1e-9)], axis=-1)


def project_spin(joints: npt.ArrayLike, camera: npt.ArrayLike) -> F8:
    """(..., J, 2) crop pixels of SPIN's joints (..., J, 3) in metres under its camera (..., 3).

    Raises:
        InputError: arrays of other shapes.
    """
    points, cam = np.asarray(joints, np.float64), np.asarray(camera, np.float64)
    if points.ndim < 2 or points.shape[-1] != 3 or cam.shape != (*points.shape[:-2], 3):
        raise InputError(
            f"SPIN's joints need (..., J, 3) and a camera (..., 3), got {points.shape} and {cam.shape}."
        )
    placed = points + spin_translation(cam)[..., None, :]
    return np.asarray(SPIN_FOCAL * placed[..., :2] / placed[..., 2:] + CROP / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """One estimator's 14 joints in the crop.

    Attributes:
        xy: (14, 2) crop pixels, rows of NaN where a joint was not found.
        confidence: (14,) in [0, 1]; 0 where not found.
        spine: (2,) crop pixels, NaN where hips or neck are missing.
    """

    xy: F8
    confidence: F8
    spine: F8

    @property
    def found(self) -> Bools:
        """(14,) which joints there are."""
        return np.asarray(np.isfinite(self.xy).all(axis=1))


def spine_of(xy: F8) -> F8:
    """(..., 2) the spine of 14 joints (..., 14, 2): ((RHip + LHip) / 2 + 1.3 Neck) / 2.3."""
    hips = (xy[..., RIGHT_HIP, :] + xy[..., LEFT_HIP, :]) / 2.0
    return np.asarray((hips + 1.3 * xy[..., NECK, :]) / 2.3)


def skeleton_from_spin(joints: npt.ArrayLike, camera: npt.ArrayLike) -> Skeleton:
    """SPIN's 49 joints (49, 3) in metres and its camera (3,) as 14 joints in the crop.

    Raises:
        InputError: arrays of other shapes.
    """
    points = np.asarray(joints, np.float64)
    if points.shape != (49, 3):
        raise InputError(f"SPIN's superset has 49 joints, got an array of shape {points.shape}.")
    xy = project_spin(points, camera)
    return Skeleton(xy[FROM_SPIN49], np.ones(N_JOINTS), xy[SPIN49_SPINE])


def skeleton_from_coco18(points: npt.ArrayLike) -> Skeleton:
    """OpenPose's 18 points (18, 3) = x, y, confidence in the crop; confidence 0 or NaN is not found.

    Raises:
        InputError: an array of another shape.
    """
    rows = np.asarray(points, np.float64)
    if rows.shape != (18, 3):
        raise InputError(f"OpenPose's COCO model has 18 points (x, y, confidence), got {rows.shape}.")
    return _skeleton(rows[FROM_COCO18, :2], rows[FROM_COCO18, 2])


def skeleton_from_keypoints(keypoints: Keypoints, to_crop: npt.ArrayLike) -> Skeleton:
    """The program's 23 keypoints as 14 joints.

    Args:
        to_crop: (2, 3) from pixels of the picture to pixels of the crop.

    Raises:
        InputError: a transform of another shape.
    """
    matrix = np.asarray(to_crop, np.float64)
    if matrix.shape != (2, 3):
        raise InputError(f"A transform to the crop needs (2, 3), got {matrix.shape}.")
    xy = keypoints.xy.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    score = np.where(keypoints.visibility == Visibility.ABSENT, 0.0, keypoints.score.astype(np.float64))
    return skeleton_from_points23(xy, score)


def skeleton_from_points23(xy: npt.ArrayLike, score: npt.ArrayLike) -> Skeleton:
    """23 points (23, 2) in crop pixels with scores (23,) as 14 joints; the neck is between the shoulders.

    Raises:
        InputError: arrays of other shapes.
    """
    points, sure = np.asarray(xy, np.float64), np.asarray(score, np.float64)
    if points.shape != (N_KEYPOINTS, 2) or sure.shape != (N_KEYPOINTS,):
        raise InputError(f"Keypoints need (23, 2) and (23,), got {points.shape} and {sure.shape}.")
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
    own = FROM_KEYPOINTS23[:, None] == -1
    joints = np.where(own, points[shoulders].mean(axis=0), points[FROM_KEYPOINTS23])
    return _skeleton(joints, np.where(own[:, 0], sure[shoulders].min(), sure[FROM_KEYPOINTS23]))


def _skeleton(xy: F8, confidence: F8) -> Skeleton:
    found = np.isfinite(xy).all(axis=1) & (np.nan_to_num(confidence) > 0)
    placed = np.where(found[:, None], xy, np.nan)
    return Skeleton(placed, np.where(found, confidence, 0.0), spine_of(placed))


def nearest_person(mesh: Skeleton, people: list[Skeleton]) -> int | None:
    """Whose joints lie nearest to the mesh's, by the mean over those found; None where nobody has any."""
    best: tuple[float, int] | None = None
    for i, person in enumerate(people):
        both = person.found & mesh.found
        if both.any():
            away = float(np.linalg.norm(person.xy[both] - mesh.xy[both], axis=1).mean())
            best = min(best, (away, i)) if best is not None else (away, i)
    return best[1] if best is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What the networks read of one person.

    Attributes:
        ed: (14,) distance of the two estimators, half crops; NaN where a joint is missing.
        confidence: (14,) of the keypoints; 0 where missing.
        aligned: whether the spines were laid on each other; not where hips or neck are missing.
    """

    ed: F8
    confidence: F8
    aligned: bool


def compare(mesh: Skeleton, keypoints: Skeleton) -> Agreement:
    """The distances (ED) between a mesh and keypoints.

    Both are shifted so that their spines coincide. The paper shifts both onto the ground truth's spine;
    the difference is the same, and no truth is needed. Where a spine is missing nothing is shifted and
    ``aligned`` says so.
    """
    shift = mesh.spine - keypoints.spine
    aligned = bool(np.isfinite(shift).all())
    moved = keypoints.xy + (shift if aligned else 0.0)
    ed = np.linalg.norm(normalise(mesh.xy) - normalise(moved), axis=1)
    return Agreement(np.asarray(ed), np.where(np.isfinite(ed), keypoints.confidence, 0.0), aligned)


def mesh_error(
    mesh_xy: npt.ArrayLike, truth_xy: npt.ArrayLike, mesh_spine: npt.ArrayLike, truth_spine: npt.ArrayLike
) -> F8:
    """(..., 14) the target SE: distance of mesh and truth (..., 14, 2) in half crops, spines laid together.

    Raises:
        InputError: arrays of other shapes.
    """
    a, b = np.asarray(mesh_xy, np.float64), np.asarray(truth_xy, np.float64)
    if a.shape != b.shape or a.shape[-2:] != (N_JOINTS, 2):
        raise InputError(f"Mesh and truth need (..., 14, 2) each, got {a.shape} and {b.shape}.")
    shift = np.asarray(truth_spine, np.float64) - np.asarray(mesh_spine, np.float64)
    return np.asarray(np.linalg.norm(normalise(a + shift[..., None, :]) - normalise(b), axis=-1))


def published_distances(mesh: Skeleton, keypoints: Skeleton) -> F8:
    """(14,) ED as the published arrays hold it.

    A joint that was not found lies at (224, 224), before the spine is computed from hips and neck: it
    looks far off, and a missing hip or neck spoils all the others. For comparison only; see :func:`compare`.
    """
    xy = np.where(keypoints.found[:, None], keypoints.xy, _MISSING)
    moved = xy + (mesh.spine - spine_of(xy))
    return np.asarray(np.linalg.norm(normalise(mesh.xy) - normalise(moved), axis=1))


def mask_missing(ed: npt.ArrayLike, confidence: npt.ArrayLike) -> F8:
    """Published ED (N, 14) with NaN where the keypoint was not found (its confidence is 0).

    Raises:
        InputError: arrays of other shapes.
    """
    e, c = check_rows(ed, "ED"), check_rows(confidence, "confidence")
    if e.shape != c.shape:
        raise InputError(f"ED and confidence differ in length: {len(e)} and {len(c)}.")
    return np.where(c > 0, e, np.nan)


def check_rows(values: npt.ArrayLike, what: str) -> F8:
    """``values`` as (N, 14) float64.

    Raises:
        InputError: another shape, or no numbers.
    """
    try:
        rows = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} holds something else than numbers.") from error
    if rows.ndim != 2 or rows.shape[1] != N_JOINTS:
        joints = ", ".join(AGREEMENT_JOINTS)
        raise InputError(f"{what} needs shape (N, 14), one column each for {joints}; got {rows.shape}.")
    return rows


def is_good(se: npt.ArrayLike) -> Bools:
    """(N,) label of the mesh classifier: no joint is farther off than 0.1."""
    return np.asarray(check_rows(se, "SE").max(axis=1) <= GOOD_SE)


def worst_joint(se: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """(N,) label of the worst-joint classifier."""
    return np.asarray(check_rows(se, "SE").argmax(axis=1))


def fit_for_training(se: npt.ArrayLike, confidence: npt.ArrayLike | None = None) -> Bools:
    """(N,) rows to train on: every SE finite and <= 1 (the arrays hold outliers up to 189,818).

    With ``confidence``, as published: also that of both hips and the neck >= 0.1.
    """
    errors = check_rows(se, "SE")
    keep = (np.isfinite(errors) & (errors <= _LARGEST_SE)).all(axis=1)
    if confidence is not None:
        sure = check_rows(confidence, "confidence")
        keep &= (sure[:, [RIGHT_HIP, LEFT_HIP, NECK]] >= _LEAST_CONFIDENCE).all(axis=1)
    return np.asarray(keep)
