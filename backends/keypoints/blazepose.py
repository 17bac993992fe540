"""BlazePose's landmarks (Bazarevsky et al., BlazePose, 2020; GHUM-based world landmarks) of one person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backends.detection.types import Region
from backends.keypoints.convert import BLAZEPOSE_TO_DEFAULT
from backends.keypoints.crop import warp
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate, Source, Visibility
from backends.litert import Network
from backends.masks import CropMask, encode_mask

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

SIZE = 256
N_LANDMARKS = 39
_CROP = 2.5
"""Side of the crop in radii of the body's circle."""
_HIPS, _UP = 33, 34
"""Auxiliary landmarks: the next picture's region."""
_VISIBLE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What the network says about one region.

    Attributes:
        xy: (39, 2) pixels of the picture; visibility, presence (39,) in [0, 1].
        world: (39, 3) metres about the hips, the picture's axes (x right, y down, z away).
        score: probability that a person is there at all.
        mask: (256, 256) logits over the crop; to_picture: (2, 3) from crop to picture pixels.
    """

    xy: F8
    visibility: F8
    presence: F8
    world: F8
    score: float
    mask: F4
    to_picture: F8

    def region(self) -> Region:
        """Where the person is, for the next picture."""
        return Region(self.xy[_HIPS], self.xy[_UP], self.score)


def _sigmoid(x: npt.ArrayLike) -> F8:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(np.asarray(x, np.float64), -60, 60))))


class LandmarkNetwork:
    """Landmarks, world landmarks and a mask of the person in a region."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        self._network = Network(
            path,
            input_size=SIZE,
            outputs=((1, 195), (1, 1), (1, SIZE, SIZE, 1), (1, 117)),
            threads=threads,
        )

    def run(self, image: U1, region: Region) -> Landmarks | None:
        """Landmarks in (H, W, 3) RGB; None where the region or the answer is no use."""
        side = _CROP * region.radius
        if not (np.isfinite(side) and 8.0 < side < 8.0 * max(image.shape)):
            return None
        cos, sin = np.cos(region.angle), np.sin(region.angle)
        step = side / SIZE
        # Crop pixel (u, v) -> picture: turned about the crop's middle.
        to_picture = np.array([[cos * step, -sin * step, 0.0], [sin * step, cos * step, 0.0]])
        middle = np.array([(SIZE - 1) / 2, (SIZE - 1) / 2])
        to_picture[:, 2] = region.centre - to_picture[:, :2] @ middle
        crop = warp(image, to_picture, SIZE)
        points, flag, mask, world = self._network.run(crop.astype(np.float32) * (1.0 / 255.0))
        points, world = points.reshape(N_LANDMARKS, 5), world.reshape(N_LANDMARKS, 3)
        score = float(flag.reshape(-1)[0])
        if not (np.isfinite(points).all() and np.isfinite(world).all() and np.isfinite(score)):
            return None
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return Landmarks(
            xy=points[:, :2].astype(np.float64) @ to_picture[:, :2].T + to_picture[:, 2],
            visibility=_sigmoid(points[:, 3]),
            presence=_sigmoid(points[:, 4]),
            world=world.astype(np.float64) @ turn.T,
            score=score,
            mask=mask[:, :, 0],
            to_picture=to_picture,
        )


def to_estimate(landmarks: Landmarks, width: int, height: int) -> PoseEstimate:
    """The 23 default keypoints, box and mask of one person.

    The small toes are absent: BlazePose has one point a foot's front, which is taken as the big toe.
    """
    index, known = BLAZEPOSE_TO_DEFAULT
    xy = np.zeros((N_KEYPOINTS, 2), np.float32)
    score = np.zeros(N_KEYPOINTS, np.float32)
    visibility = np.zeros(N_KEYPOINTS, np.uint8)
    world = np.full((N_KEYPOINTS, 3), np.nan, np.float32)
    xy[known] = landmarks.xy[index[known]]
    inside = (xy[:, 0] > -1) & (xy[:, 0] < width) & (xy[:, 1] > -1) & (xy[:, 1] < height)
    certain = landmarks.visibility[index[known]] * landmarks.presence[index[known]]
    # What lies outside the picture has been guessed from the rest of the body.
    score[known] = np.where(inside[known], certain, 0.3 * certain)
    visible = (landmarks.visibility[index[known]] >= _VISIBLE) & inside[known]
    visibility[known] = np.where(visible, Visibility.VISIBLE, Visibility.OCCLUDED)
    world[known] = landmarks.world[index[known]]
    mask = _mask(landmarks, width, height)
    return PoseEstimate(
        keypoints=Keypoints(xy, score, visibility, np.full(N_KEYPOINTS, Source.MODEL, np.uint8)),
        box=_box(xy[known], inside[known], mask, width, height),
        score=min(max(landmarks.score, 0.0), 1.0),
        world=world,
        mask=mask,
    )


def _box(xy: F4, inside: npt.NDArray[np.bool_], mask: CropMask | None, width: int, height: int) -> F4:
    points = xy[inside] if inside.any() else xy
    x0, y0 = points.min(axis=0)
    x1, y1 = points.max(axis=0)
    pad = 0.06 * float(np.hypot(x1 - x0, y1 - y0))
    x0, y0, x1, y1 = x0 - pad, y0 - 1.6 * pad, x1 + pad, y1 + 0.5 * pad
    if mask is not None:
        x0, y0 = min(x0, mask.x0), min(y0, mask.y0)
        x1, y1 = max(x1, mask.x0 + mask.width), max(y1, mask.y0 + mask.height)
    limits = ((x0, width - 1), (y0, height - 1), (x1, width - 1), (y1, height - 1))
    return np.array([min(max(v, 0.0), top) for v, top in limits], np.float32)


def _mask(landmarks: Landmarks, width: int, height: int) -> CropMask | None:
    likely = landmarks.mask > 0.0
    rows, columns = np.flatnonzero(likely.any(axis=1)), np.flatnonzero(likely.any(axis=0))
    if rows.size == 0:
        return None
    corners = np.array(
        [(u, v) for u in (columns[0] - 1, columns[-1] + 1) for v in (rows[0] - 1, rows[-1] + 1)]
    )
    A = landmarks.to_picture
    placed = corners @ A[:, :2].T + A[:, 2]
    x0, y0 = np.maximum(np.floor(placed.min(axis=0)), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(placed.max(axis=0)) + 1, [width, height]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return None
    shifted = A.copy()
    shifted[:, 2] -= (x0, y0)
    logits = cv2.warpAffine(
        landmarks.mask, shifted, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=-10.0,
    )  # fmt: skip
    inside = np.asarray(logits) > 0.0
    return encode_mask(inside, int(x0), int(y0)) if inside.any() else None
