"""MediaPipe's hand landmarks (Zhang et al., MediaPipe Hands, 2020): 21 points of one hand in a crop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from backends.keypoints.crop import Square, looked_closer, placed, warp
from backends.keypoints.details import N_HAND, HandLandmarks
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints, PoseEstimate, Visibility
from backends.litert import Network

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

SIZE = 224
MIN_SCORE = 0.5
_HAND_M, _REACH_M = 0.30, 0.09
"""Side of the first crop, and how far the hand's middle lies beyond the wrist, on an adult."""
_GROW = 2.0
"""Side of the second crop in sizes of the hand found (the network was trained with such a border)."""


def pixels_per_metre(estimate: PoseEstimate) -> float:
    """How large a metre at the person is in the picture, from keypoints and world landmarks; 0 if unknown."""
    if estimate.world is None:
        return 0.0
    kp = estimate.keypoints
    used = np.isfinite(estimate.world).all(axis=1) & (kp.visibility != Visibility.ABSENT)
    if int(used.sum()) < 4:
        return 0.0
    flat = estimate.world[used, :2].astype(np.float64)
    xy = kp.xy[used].astype(np.float64)
    metres = float(np.sqrt(((flat - flat.mean(axis=0)) ** 2).sum()))
    return float(np.sqrt(((xy - xy.mean(axis=0)) ** 2).sum())) / metres if metres > 0.05 else 0.0


def hand_square(estimate: PoseEstimate, side: str) -> Square | None:
    """Where the ``side`` ("left", "right") hand should be, beyond the wrist; None where nobody can tell."""
    wrist, elbow = INDEX[f"{side}_wrist"], INDEX[f"{side}_elbow"]
    kp, world = estimate.keypoints, estimate.world
    scale = pixels_per_metre(estimate)
    if world is None or scale <= 0.0 or not _known(kp, wrist) or not np.isfinite(world[[wrist, elbow]]).all():
        return None
    arm = (world[wrist] - world[elbow]).astype(np.float64)
    arm /= max(float(np.linalg.norm(arm)), 1e-6)
    centre = kp.xy[wrist] + _REACH_M * scale * arm[:2]
    # The crop's own up points along the fingers; an arm towards the camera tells no direction.
    angle = float(np.arctan2(arm[0], -arm[1])) if np.hypot(arm[0], arm[1]) > 0.2 else 0.0
    return Square(np.asarray(centre, np.float64), _HAND_M * scale, angle)


def _known(keypoints: Keypoints, index: int) -> bool:
    return bool(
        keypoints.visibility[index] != Visibility.ABSENT and np.isfinite(keypoints.xy[index]).all()
    )  # fmt: skip


class HandNetwork:
    """Landmarks of the hand in a square. Not thread-safe: give each thread its own."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        """Load.

        Raises:
            WeightsError: missing, damaged, or another network.
        """
        self._network = Network(
            path, input_size=SIZE, outputs=((1, 63), (1, 1), (1, 1), (1, 63)), threads=threads
        )

    def run(self, image: U1, square: Square, *, passes: int = 2) -> HandLandmarks | None:
        """The hand in (H, W, 3) uint8 RGB; None where the crop is too small or shows no hand.

        Args:
            passes: with two, the second looks at the hand that the first has found, which is sharper.

        Raises:
            InputError: not a picture.
        """
        return looked_closer(image, square, self._once, square_around, passes=passes)

    def _once(self, image: U1, square: Square) -> HandLandmarks | None:
        to_picture = square.to_picture(SIZE)
        crop = warp(image, to_picture, SIZE).astype(np.float32) * (1.0 / 255.0)
        points, presence, _, world = self._network.run(crop)
        score = float(presence.reshape(-1)[0])
        points, world = points.reshape(N_HAND, 3), world.reshape(N_HAND, 3)
        if not (np.isfinite(points).all() and np.isfinite(world).all() and score >= MIN_SCORE):
            return None
        turned = world.astype(np.float64)
        turned[:, :2] = turned[:, :2] @ square.turn.T
        xy = placed(points[:, :2].astype(np.float64), to_picture)
        return HandLandmarks(xy.astype(np.float32), turned.astype(np.float32), min(score, 1.0))


def square_around(hand: HandLandmarks) -> Square:
    """The crop for a hand that has been found: fingers up, with the border that the network knows."""
    xy = hand.xy.astype(np.float64)
    knuckles = 0.25 * (xy[5] + xy[13]) + 0.5 * xy[9]
    along = knuckles - xy[0]
    angle = float(np.arctan2(along[0], -along[1]))
    turn = Square(xy[0], 1.0, angle).turn
    local = xy @ turn
    low, high = local.min(axis=0), local.max(axis=0)
    side = _GROW * float((high - low).max())
    centre = (low + high) / 2 - np.array([0.0, 0.05 * side])
    return Square(turn @ centre, side, angle)
