"""People of one frame on either side, and who is who."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from app.datasets.types import TrueFrame, TruePerson
from app.project.records import PersonRecord
from backends.camera import Camera
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import Visibility
from backends.metrics.joint_sets import gather
from backends.metrics.pose2d import box_iou, oks_matrix, oks_sigmas

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_SEEN = 0.1
"""A true person of whom less is seen is neither found nor missed."""
LEAST_SIMILAR = 0.1
"""Least similarity of a pair. Low on purpose: a bad pose of the right person must count as an error."""
_BOX_AREA = 0.53
"""COCO measures OKS against the outline's area; of boxes alone this share is customary (mmpose)."""
SIGMAS = oks_sigmas(KEYPOINT_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class TrueSide:
    """A true person as the picture shows them.

    Attributes:
        box: (4,) pixels. xy: (23, 2) pixels, NaN where not known; labelled: (23,) which count;
        visibility: (23,) COCO's flags, 0 where not labelled. area: pixels squared.
        ignored: hardly to be seen. projected: the keypoints come from the truth in space, so that nothing
            is known of what hides them.
    """

    person: TruePerson
    box: F8
    xy: F8
    labelled: Bools
    visibility: npt.NDArray[np.uint8]
    area: float
    ignored: bool
    projected: bool


def true_sides(frame: TrueFrame, camera: Camera) -> list[TrueSide]:
    """Everybody of the true frame who is in the picture at all.

    Args:
        camera: the footage's, where the truth does not know it.
    """
    lens = frame.camera or camera
    found = []
    for person in frame.people:
        xy, visibility = _keypoints(person)
        projected = frame.camera is not None and not person.points_2d
        if projected and frame.camera is not None:
            xy, visibility = _projected(person, frame.camera)
        labelled = (visibility > 0) & np.isfinite(xy).all(axis=1)
        box = _box(person, xy, labelled, lens)
        if box is None:
            continue
        area = float(person.mask.counts[1::2].sum()) if person.mask is not None else 0.0
        area = area if area > 0 else _BOX_AREA * float(np.prod(box[2:] - box[:2]))
        ignored = person.seen is not None and person.seen < LEAST_SEEN
        found.append(TrueSide(person, box, xy, labelled, visibility, max(area, 1.0), ignored, projected))
    return found


def _keypoints(person: TruePerson) -> tuple[F8, npt.NDArray[np.uint8]]:
    """The 23 keypoints in the picture from the layout that knows most of them."""
    xy, visibility = np.full((23, 2), np.nan), np.zeros(23, np.uint8)
    for points in person.points_2d:
        values = np.column_stack([points.xy, points.visibility])
        taken = gather(values, points.layout.joints, KEYPOINT_NAMES)
        flags = np.where(np.isfinite(taken).all(axis=1), taken[:, 2], 0).astype(np.uint8)
        if (flags > 0).sum() > (visibility > 0).sum():
            xy, visibility = taken[:, :2], flags
    return xy, visibility


def _projected(person: TruePerson, camera: Camera) -> tuple[F8, npt.NDArray[np.uint8]]:
    """The 23 keypoints where the true joints in space fall into the picture."""
    best = np.full((23, 2), np.nan)
    for points in person.points_3d:
        xy = camera.project(gather(points.xyz, points.layout.joints, KEYPOINT_NAMES))
        if np.isfinite(xy).sum() > np.isfinite(best).sum():
            best = xy
    with np.errstate(invalid="ignore"):
        inside = ((best >= 0) & (best <= [camera.width - 1, camera.height - 1])).all(axis=1)
    return best, np.where(inside, 2, 0).astype(np.uint8)


def _box(person: TruePerson, xy: F8, labelled: Bools, camera: Camera) -> F8 | None:
    if person.box is not None:
        box = np.asarray(person.box, np.float64)
        return box if np.isfinite(box).all() and (box[2:] > box[:2]).all() else None
    points = xy[labelled]
    if len(points) < 2:
        solid = person.vertices if person.vertices is not None else None
        if solid is None and person.points_3d:
            solid = person.points_3d[0].xyz
        points = camera.project(solid) if solid is not None else np.zeros((0, 2))
        points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return None
    edge = np.array([camera.width - 1.0, camera.height - 1.0])
    low, high = np.clip(points.min(axis=0), 0, edge), np.clip(points.max(axis=0), 0, edge)
    return np.concatenate([low, high]) if (high > low).all() else None


def similarities(truths: list[TrueSide], found: list[PersonRecord]) -> F8:
    """(T, P) OKS over the labelled keypoints; IoU of the boxes for a true person without any."""
    if not truths or not found:
        return np.zeros((len(truths), len(found)))
    oks = oks_matrix(
        np.array([found_xy(p) for p in found]), np.array([t.xy for t in truths]),
        np.array([t.labelled for t in truths]), np.array([t.area for t in truths]), SIGMAS,
    )  # fmt: skip
    iou = box_iou(np.array([t.box for t in truths]), np.array([p.estimate.box for p in found]))
    mixed: F8 = np.where(np.isnan(oks), iou, oks)
    return mixed


def found_xy(record: PersonRecord) -> F8:
    """(23, 2) the keypoints that were found, pixels; NaN for those that the estimator calls absent."""
    keypoints = record.estimate.keypoints
    absent = keypoints.visibility == Visibility.ABSENT
    return np.where(absent[:, None], np.nan, keypoints.xy.astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One frame's people after matching.

    ``pairs``: indices into ``truths`` and ``found``. People to be ignored, and whoever was found there,
    are out of ``truths``, ``found`` and ``similarity`` (T, P); ``ignored`` counts them.
    """

    truths: list[TrueSide]
    found: list[PersonRecord]
    similarity: F8
    pairs: list[tuple[int, int]]
    ignored: int


def pair_people(truths: list[TrueSide], found: list[PersonRecord]) -> Paired:
    """The one-to-one choice of greatest similarity (Hungarian), from :data:`LEAST_SIMILAR` on."""
    similarity = similarities(truths, found)
    rows, columns = linear_sum_assignment(-similarity)
    good = [(int(r), int(c)) for r, c in zip(rows, columns) if similarity[r, c] >= LEAST_SIMILAR]
    keep_t = [i for i, t in enumerate(truths) if not t.ignored]
    gone = {c for r, c in good if truths[r].ignored}
    keep_f = [j for j in range(len(found)) if j not in gone]
    place_t = {i: k for k, i in enumerate(keep_t)}
    place_f = {j: k for k, j in enumerate(keep_f)}
    pairs = [(place_t[r], place_f[c]) for r, c in good if r in place_t]
    return Paired(
        [truths[i] for i in keep_t], [found[j] for j in keep_f], similarity[np.ix_(keep_t, keep_f)], pairs,
        len(truths) - len(keep_t),
    )  # fmt: skip
