"""Looks for the hands and faces of people who are large enough in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from backends.keypoints.crop import Square
from backends.keypoints.details import Details, FaceLandmarks, HandLandmarks
from backends.keypoints.face import FaceNetwork, face_square
from backends.keypoints.face import square_around as around_face
from backends.keypoints.hands import HandNetwork, hand_square, pixels_per_metre
from backends.keypoints.hands import square_around as around_hand
from backends.keypoints.layout import INDEX
from backends.keypoints.types import PoseEstimate
from backends.tracking.stream import TrackedPose

U1 = npt.NDArray[np.uint8]
Side = Literal["left", "right"]

_SIDES: Final[tuple[Side, Side]] = ("left", "right")
_OFF_M = 0.08
"""A hand whose wrist lies farther from the body's is somebody else's, or the other one."""
_AGAIN = 2
"""Where a network saw nothing it looks again after this many frames."""


class DetailStage:
    """Adds hands and faces to people, following each from frame to frame by where it was.

    Not thread-safe. It keeps nothing that matters: a run that goes on begins anew with the body's keypoints.
    """

    def __init__(self, hands: Path, face: Path, *, threads: int = 2) -> None:
        """Load the networks.

        Raises:
            WeightsError: missing or damaged.
        """
        self._hands = HandNetwork(hands, threads=threads)
        self._face = FaceNetwork(face, threads=threads)
        self._squares: dict[tuple[int, str], Square] = {}
        self._skip: dict[tuple[int, str], int] = {}

    def look(self, image: U1, people: Sequence[TrackedPose]) -> list[TrackedPose]:
        """The same people with the hands and faces that can be seen in (H, W, 3) uint8 RGB."""
        ids = {p.track_id for p in people}
        self._squares = {key: s for key, s in self._squares.items() if key[0] in ids}
        self._skip = {key: n - 1 for key, n in self._skip.items() if key[0] in ids and n > 1}
        return [self._detailed(image, person) for person in people]

    def _detailed(self, image: U1, person: TrackedPose) -> TrackedPose:
        estimate, track = person.estimate, person.track_id
        hands = {side: self._hand(image, estimate, track, side) for side in _SIDES}
        left, right = hands["left"], hands["right"]
        if left is not None and right is not None and _same(left, right, _OFF_M * pixels_per_metre(estimate)):
            # Both looked at one hand: it belongs to the surer one.
            left, right = (left, None) if left.score >= right.score else (None, right)
            self._squares.pop((track, "left" if left is None else "right"), None)
        face = self._face_of(image, estimate, track)
        if left is None and right is None and face is None:
            return person
        return replace(person, estimate=replace(estimate, details=Details(left, right, face)))

    def _hand(self, image: U1, estimate: PoseEstimate, track: int, side: Side) -> HandLandmarks | None:
        key = (track, side)
        if key in self._skip:
            return None
        expected = hand_square(estimate, side)
        if expected is None:
            self._squares.pop(key, None)
            return None
        followed = self._squares.pop(key, None)
        found = None if followed is None else self._hands.run(image, followed, passes=1)
        if found is None or not _belongs(found, estimate, side):
            found = self._hands.run(image, expected)
        if found is None or not _belongs(found, estimate, side):
            self._skip[key] = _AGAIN
            return None
        self._squares[key] = around_hand(found)
        return found

    def _face_of(self, image: U1, estimate: PoseEstimate, track: int) -> FaceLandmarks | None:
        key = (track, "face")
        expected = face_square(estimate)
        if expected is None or key in self._skip:
            self._squares.pop(key, None)
            return None
        followed = self._squares.pop(key, None)
        near = followed is not None and float(np.linalg.norm(followed.centre - expected.centre)) < (
            0.4 * expected.side
        )
        found = self._face.run(image, followed, passes=1) if near and followed is not None else None
        found = found or self._face.run(image, expected)
        if found is None:
            self._skip[key] = _AGAIN
            return None
        self._squares[key] = around_face(found)
        return found


def _belongs(hand: HandLandmarks, estimate: PoseEstimate, side: Side) -> bool:
    wrist = estimate.keypoints.xy[INDEX[f"{side}_wrist"]]
    return float(np.linalg.norm(hand.xy[0] - wrist)) < _OFF_M * pixels_per_metre(estimate)


def _same(a: HandLandmarks, b: HandLandmarks, near: float) -> bool:
    return float(np.linalg.norm(a.xy - b.xy, axis=1).mean()) < 0.5 * near
