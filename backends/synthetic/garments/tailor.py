"""Somebody to be dressed: the shaped body in its rest pose, with the places that clothes are cut by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from backends.body.model import BodyModel
from backends.body.pose import shaped_joints
from backends.body.skeleton import JOINT_INDEX
from backends.keypoints.layout import INDEX
from backends.synthetic.garments.surface import F8, I4, Surface, anchored, hung_on, whole

_LEAST_EYES_M, _EYE_DEPTH_M = 0.02, 0.012
"""Eyes nearer to each other are no eyes; how far an eye's centre lies behind its keypoint."""


class Tailor:
    """Measures a body. Rest pose: T, x to the body's left, y up, z forwards, metres, pelvis joint near 0.

    Attributes:
        rest: (V, 3) the shaped body; J: (55, 3) its joints; skin: the bare body as a surface.
    """

    def __init__(self, body: BodyModel, betas: F8, rng: np.random.Generator) -> None:
        self.body, self.betas, self.rng = body, betas, rng
        self.skin = whole(body, betas, (200, 170, 150))
        self.rest = self.skin.rest
        self.J = shaped_joints(body, betas)
        eyes = [JOINT_INDEX[f"{side}_eye_smplhf"] for side in ("left", "right")]
        if np.linalg.norm(self.J[eyes[0]] - self.J[eyes[1]]) < _LEAST_EYES_M:  # SMPL and SMPL-H have none
            keypoints = np.asarray(body.keypoint_regressor @ self.rest)
            self.J[eyes] = keypoints[[INDEX["left_eye"], INDEX["right_eye"]]] - (0.0, 0.0, _EYE_DEPTH_M)
        self._tree = cKDTree(self.rest)
        self._waves = [
            (rng.normal(size=3) * (1.0, 0.45, 1.0), rng.uniform(28, 62), rng.uniform(0, 2 * np.pi))
            for _ in range(7)
        ]

    def joint(self, name: str) -> F8:
        """(3,) of a joint in the rest pose."""
        at: F8 = self.J[JOINT_INDEX[name]]
        return at

    @property
    def eyes(self) -> F8:
        """(3,) between the eyes, at the height of the pupils."""
        middle: F8 = (self.joint("left_eye_smplhf") + self.joint("right_eye_smplhf")) / 2
        return middle

    @property
    def head_scale(self) -> float:
        """Distance between the eyes over that of the mean body (62 mm)."""
        return float(np.linalg.norm(self.joint("left_eye_smplhf") - self.joint("right_eye_smplhf")) / 0.062)

    def on_head(self, points: F8) -> F8:
        """Points in the mean head's measures: origin between the eyes, metres of a mean head."""
        local: F8 = (points - self.eyes) / self.head_scale
        return local

    def folds(self, points: F8) -> F8:
        """A smooth field in about [-1, 1], longer downwards than across: how cloth creases."""
        total = np.zeros(len(points))
        for direction, frequency, phase in self._waves:
            total += np.sin(points @ (direction / np.linalg.norm(direction)) * frequency + phase)
        field: F8 = total / 3.0
        return field

    def nearest(self, points: F8) -> npt.NDArray[np.int64]:
        """(N,) the body's vertex nearest to each point."""
        index: npt.NDArray[np.int64] = self._tree.query(points)[1]
        return index

    def hang(self, points: F8, faces: I4, color: npt.ArrayLike, *, rigid: bool = False) -> Surface:
        """A mesh hung on the nearest vertices, or as one stiff piece on the vertex nearest to its middle."""
        vertices = self.nearest(points.mean(axis=0)[None]) if rigid else self.nearest(points)
        vertices = np.broadcast_to(vertices, (len(points),))
        return anchored(self.rest, points, hung_on(len(self.rest), vertices), faces, color)


def grid_faces(rows: int, columns: int, *, closed: bool = False) -> I4:
    """(F, 3) triangles over a grid of points, row by row; ``closed`` joins the last column to the first."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a = (r * columns + c).reshape(-1)
    b = (r * columns + (c + 1) % columns).reshape(-1)
    faces = np.concatenate([np.stack([a, b, b + columns], 1), np.stack([a, b + columns, a + columns], 1)])
    return faces.astype(np.int32)


def tube(path: F8, radius: float, segments: int = 8) -> tuple[F8, I4]:
    """Vertices and faces of a round tube along ``path`` (N, 3)."""
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    side = np.cross(along, np.where(np.abs(along[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
    up = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = side[:, None] * np.cos(angle)[None, :, None] + up[:, None] * np.sin(angle)[None, :, None]
    points = path[:, None] + radius * ring
    return points.reshape(-1, 3), grid_faces(len(path), segments, closed=True)
