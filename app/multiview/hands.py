"""Fingers, wrists and jaw of somebody whose hands and face several cameras show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.multiview.types import Seen
from backends.body import BodyModel, BodyParams
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera
from backends.fitting.hands import HandBender, jaw_angle
from backends.keypoints.details import N_HAND
from backends.keypoints.face import mouth_opening
from backends.multiview import triangulate

F8 = npt.NDArray[np.float64]

_JAW = JOINT_INDEX["jaw"]


class RoomHands:
    """Bends the hands of bodies in the room. Keeps no state between bodies."""

    def __init__(self, body: BodyModel, cameras: Sequence[Camera]) -> None:
        self._bender, self._cameras = HandBender(body), list(cameras)

    def bend(self, params: BodyParams, seen: Mapping[int, Seen]) -> BodyParams:
        """The body, world coordinates, with hands that two cameras show whole, and the jaw as most see it.
        What is not seen stays."""
        left, right = (self._in_space(seen, side) for side in ("left_hand", "right_hand"))
        if left is not None or right is not None:
            params = self._bender.bend_to_points(params, left, right)
        faces = [s.details.face for s in seen.values() if s.details is not None]
        open_by = [jaw_angle(mouth_opening(face)) for face in faces if face is not None]
        if open_by:
            pose = params.pose.copy()
            pose[_JAW] = [float(np.median(open_by)), 0.0, 0.0]
            params = replace(params, pose=pose)
        return params

    def _in_space(self, seen: Mapping[int, Seen], side: str) -> F8 | None:
        hands = {
            v: getattr(s.details, side)
            for v, s in seen.items()
            if s.details is not None and getattr(s.details, side) is not None
        }
        if len(hands) < 2:
            return None
        xy = np.full((len(self._cameras), N_HAND, 2), np.nan)
        score = np.zeros((len(self._cameras), N_HAND))
        for v, hand in hands.items():
            xy[v], score[v] = hand.xy, hand.score
        points = triangulate(xy, score, self._cameras).points
        return points if np.isfinite(points).all() else None
