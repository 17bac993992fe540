"""MediaPipe's face mesh (Kartynnik et al., Real-time Facial Surface Geometry, 2019): 468 points of a face."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from backends.keypoints.crop import Square, looked_closer, placed, warp
from backends.keypoints.details import N_FACE, FaceLandmarks
from backends.keypoints.hands import pixels_per_metre
from backends.keypoints.layout import INDEX
from backends.keypoints.types import PoseEstimate, Visibility
from backends.litert import Network

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

SIZE = 192
LIP_INSIDE: Final = (13, 14)
"""The middle of the upper and of the lower lip, where they meet."""
FOREHEAD, CHIN, EYE_CORNERS = 10, 152, (33, 263)

MIN_SCORE = 0.5
_FACE_M = 0.30
_GROW = 1.5


def face_square(estimate: PoseEstimate) -> Square | None:
    """Where the face should be, from nose, eyes and ears; None where it is turned away or nobody can tell."""
    kp = estimate.keypoints
    names = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    nose, left, right, left_ear, right_ear = (INDEX[n] for n in names)
    points = [nose, left, right, left_ear, right_ear]
    scale = pixels_per_metre(estimate)
    if scale <= 0.0 or (kp.visibility[points] == Visibility.ABSENT).any() or estimate.world is None:
        return None
    xy = kp.xy.astype(np.float64)
    depth = estimate.world[:, 2].astype(np.float64)
    # A nose farther away than the ears belongs to the back of a head.
    if not np.isfinite(xy[points]).all() or not depth[nose] < (depth[left_ear] + depth[right_ear]) / 2:
        return None
    eyes = xy[right] - xy[left] if xy[right, 0] >= xy[left, 0] else xy[left] - xy[right]
    angle = float(np.arctan2(eyes[1], eyes[0])) if np.hypot(*eyes) > 1.0 else 0.0
    middle = 0.5 * xy[nose] + 0.25 * (xy[left] + xy[right])
    centre = middle + Square(middle, 1.0, angle).turn @ np.array([0.0, 0.02 * scale])
    return Square(centre, _FACE_M * scale, angle)


class FaceNetwork:
    """The mesh of the face in a square. Not thread-safe: give each thread its own."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        """Load.

        Raises:
            WeightsError: missing, damaged, or another network.
        """
        self._network = Network(
            path, input_size=SIZE, outputs=((1, 1, 1, 3 * N_FACE), (1, 1, 1, 1)), threads=threads
        )

    def run(self, image: U1, square: Square, *, passes: int = 2) -> FaceLandmarks | None:
        """The face in (H, W, 3) uint8 RGB; None where the crop is too small or shows no face.

        Args:
            passes: with two, the second looks at the face that the first has found, which is sharper.

        Raises:
            InputError: not a picture.
        """
        return looked_closer(image, square, self._once, square_around, passes=passes)

    def _once(self, image: U1, square: Square) -> FaceLandmarks | None:
        to_picture = square.to_picture(SIZE)
        crop = warp(image, to_picture, SIZE).astype(np.float32) * (1.0 / 255.0)
        points, flag = self._network.run(crop)
        points = points.reshape(N_FACE, 3)
        score = 1.0 / (1.0 + float(np.exp(-np.clip(float(flag.reshape(-1)[0]), -60.0, 60.0))))
        if not (np.isfinite(points).all() and score >= MIN_SCORE):
            return None
        xy = placed(points[:, :2].astype(np.float64), to_picture)
        z = points[:, 2:].astype(np.float64) * (square.side / SIZE)
        return FaceLandmarks(np.concatenate([xy, z], axis=1).astype(np.float32), score)


def square_around(face: FaceLandmarks) -> Square:
    """The crop for a face that has been found: eyes level, a quarter of air about it."""
    xy = face.xyz[:, :2].astype(np.float64)
    eyes = xy[EYE_CORNERS[1]] - xy[EYE_CORNERS[0]]
    angle = float(np.arctan2(eyes[1], eyes[0]))
    turn = Square(xy[0], 1.0, angle).turn
    local = xy @ turn
    low, high = local.min(axis=0), local.max(axis=0)
    return Square(turn @ ((low + high) / 2), _GROW * float((high - low).max()), angle)


def mouth_opening(face: FaceLandmarks) -> float:
    """The gap between the lips as a share of the distance from forehead to chin; about 0 when closed."""
    points = face.xyz.astype(np.float64)
    gap = float(np.linalg.norm(points[LIP_INSIDE[0]] - points[LIP_INSIDE[1]]))
    height = float(np.linalg.norm(points[FOREHEAD] - points[CHIN]))
    return gap / height if height > 1e-6 else 0.0
