"""Somebody in a scene: a body, clothes and a movement; how a camera sees them, and what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.placed import in_camera
from backends.body.pose import (
    forward_kinematics,
    posed_joints,
    posed_keypoints,
    posed_vertices,
    shaped_joints,
)
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera
from backends.keypoints.types import Visibility
from backends.masks import encode_mask
from backends.synthetic.garments import Dressed
from backends.synthetic.motion.types import Motion
from backends.synthetic.types import F4, F8, U1, PersonTruth, PersonWorld

_BEHIND_M = 0.12
"""A keypoint lies inside the body: it counts as hidden where something is nearer than this before it."""
_FACE_BEHIND_M = 0.045
"""The same for points of the face's skin: a surgical mask or glasses are no hiding."""
_SHADOW_CELL_M = 0.045


@dataclass(frozen=True, eq=False)
class Actor:
    """Who plays in a scene.

    Attributes:
        person_id: from 1.
        body: the bare body; betas: its shape.
        dressed: what is drawn.
        motion: where the person is when, world coordinates.
    """

    person_id: int
    body: BodyModel
    betas: F8
    dressed: Dressed
    motion: Motion
    _probe: BodyModel = field(init=False, repr=False)
    _caster: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_probe", _head_probe(self.body))
        rest = self.dressed.body.v_template + self.dressed.body.shapedirs @ self.betas
        object.__setattr__(self, "_caster", _coarse(rest, self.dressed.body.faces))

    def posed(self, time: float) -> Posed:
        """The person at a moment."""
        params = self.motion.at(time)
        return Posed(
            self, params, posed_vertices(self.dressed.body, params), posed_vertices(self._probe, params)
        )

    def caster(self, vertices: F8) -> tuple[F8, npt.NDArray[np.int32]]:
        """A coarse mesh that throws the person's shadow."""
        chosen, faces = self._caster
        return vertices[chosen], faces


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """An actor at a moment, world coordinates: ``params``, dressed ``vertices``, ``head`` points."""

    actor: Actor
    params: BodyParams
    vertices: F8
    head: F8

    @property
    def world(self) -> PersonWorld:
        """What does not depend on a camera."""
        body = self.actor.body
        return PersonWorld(
            self.actor.person_id, self.params, posed_joints(body, self.params),
            posed_keypoints(body, self.params),
        )  # fmt: skip

    @property
    def soles(self) -> F8:
        """(6, 4) where the person keeps light from the floor: x, y, radius in metres, strength in [0, 1]."""
        J = posed_joints(self.actor.body, self.params)
        feet = J[[JOINT_INDEX[n] for n in ("left_ankle", "left_foot", "right_ankle", "right_foot")]]
        down = np.clip(1.0 - (feet[:, 2] - 0.09) / 0.14, 0.0, 1.0)
        near = np.column_stack([feet[:, :2], np.full(4, 0.105), 0.25 * down])
        wide = near.reshape(2, 2, 4).mean(axis=1) * (1.0, 1.0, 2.8, 0.80)
        soles: F8 = np.concatenate([near, wide])
        return soles


_FACE_POINTS, _HEAD_POINTS = 160, 120


def _head_probe(body: BodyModel) -> BodyModel:
    """A few points of the skin: the face's front first, then the whole head."""
    rest = body.v_template
    eyes = (
        body.J_template[JOINT_INDEX["left_eye_smplhf"]] + body.J_template[JOINT_INDEX["right_eye_smplhf"]]
    ) / 2
    local = rest - eyes
    front = (
        body.face_vertices & (local[:, 1] > -0.105) & (local[:, 1] < 0.075) & (np.abs(local[:, 0]) < 0.066)
    )
    front &= local[:, 2] > -0.055
    # The eyes' balls and the mouth's inside are no skin.
    front &= np.isin(body.part_of_vertex, [JOINT_INDEX["head"], JOINT_INDEX["jaw"]])
    rng = np.random.default_rng(3)
    face = rng.permutation(np.flatnonzero(front))[:_FACE_POINTS]
    head = rng.permutation(np.flatnonzero(body.head_vertices))[: _HEAD_POINTS - 6]
    extremes = [
        np.flatnonzero(body.head_vertices)[f(rest[body.head_vertices, k])]
        for k in range(3)
        for f in (np.argmin, np.argmax)
    ]
    chosen = np.concatenate([face, head, extremes]).astype(np.int64)
    return replace(
        body, v_template=np.ascontiguousarray(rest[chosen]),
        shapedirs=np.ascontiguousarray(body.shapedirs[chosen]),
        skin_joints=np.ascontiguousarray(body.skin_joints[chosen]),
        skin_weights=np.ascontiguousarray(body.skin_weights[chosen]), posedirs=None,
    )  # fmt: skip


def _coarse(rest: F8, faces: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Vertex clustering (Rossignac & Borrel 1993): one vertex for each cell, faces that still are faces."""
    cell = np.floor(rest / _SHADOW_CELL_M).astype(np.int64)
    _, first, member = np.unique(cell, axis=0, return_index=True, return_inverse=True)
    small = member.reshape(-1)[faces]
    kept = (small[:, 0] != small[:, 1]) & (small[:, 1] != small[:, 2]) & (small[:, 0] != small[:, 2])
    unique = np.unique(np.sort(small[kept], axis=1), axis=0)
    return first, unique.astype(np.int32)


def truth_of(
    posed: Posed, camera: Camera, depth: F4, mine: npt.NDArray[np.bool_], seen: float
) -> PersonTruth:
    """What is true of a person in a picture.

    Args:
        depth: (H, W) exact, everything included.
        mine: (H, W) the pixels in which the person is seen.
        seen: share of the silhouette that nothing hides.
    """
    actor = posed.actor
    rest_pelvis = shaped_joints(actor.body, actor.betas)[0]
    params = in_camera(posed.params, rest_pelvis, camera.R, camera.t)
    keypoints = posed_keypoints(actor.body, params)
    xy = camera.project(keypoints)
    inside, clear = _clear(xy, keypoints[:, 2], camera, depth, _BEHIND_M)
    visibility = np.where(inside, np.where(clear, Visibility.VISIBLE, Visibility.OCCLUDED), Visibility.ABSENT)
    box, mask = None, None
    rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
    if len(rows):
        x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
        box = np.array([x0, y0, x1, y1], np.float32)
        mask = encode_mask(mine[y0 : y1 + 1, x0 : x1 + 1], x0, y0)
    face_box, face_seen, head_box = _head_truth(posed, camera, depth)
    return PersonTruth(
        person_id=actor.person_id, params=params, joints=posed_joints(actor.body, params),
        keypoints_3d=keypoints, keypoints_2d=xy, visibility=visibility.astype(np.uint8), box=box, mask=mask,
        seen=seen, face_box=face_box, face_seen=face_seen, head_box=head_box,
        face_mask=actor.dressed.outfit.mask is not None,
    )  # fmt: skip


def _clear(
    xy: F8, z: F8, camera: Camera, depth: F4, behind: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which points lie in the picture, and which have nothing before them."""
    column, row = np.rint(xy[:, 0]), np.rint(xy[:, 1])
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    r = np.clip(np.nan_to_num(row), 0, camera.height - 1).astype(int)
    c = np.clip(np.nan_to_num(column), 0, camera.width - 1).astype(int)
    return inside, inside & (depth[r, c] > z - behind)


def _head_truth(posed: Posed, camera: Camera, depth: F4) -> tuple[F4 | None, float, F4 | None]:
    points = posed.head @ camera.R.T + camera.t
    xy = camera.project(points)
    head_box = _clipped_box(xy, camera)
    face, face_xy = points[:_FACE_POINTS], xy[:_FACE_POINTS]
    J = shaped_joints(posed.actor.body, posed.params.betas)
    G, P, _ = forward_kinematics(J, posed.actor.body.parents, posed.params.pose, posed.params.transl)
    head = JOINT_INDEX["head"]
    ahead = camera.R @ G[head] @ np.array([0.0, 0.0, 1.0])
    centre = camera.R @ P[head] + camera.t
    towards = -centre / max(float(np.linalg.norm(centre)), 1e-9)
    if centre[2] < 0.1 or float(ahead @ towards) <= 0.0:
        return None, 0.0, head_box
    _, clear = _clear(face_xy, face[:, 2], camera, depth, _FACE_BEHIND_M)
    # Half of a face seen from the side lies behind the other half: that is "not seen" too.
    face_box = _clipped_box(face_xy, camera)
    return face_box, float(clear.mean()) if face_box is not None else 0.0, head_box


def _clipped_box(xy: F8, camera: Camera) -> F4 | None:
    if not np.isfinite(xy).all():
        return None
    low = np.maximum(xy.min(axis=0), 0.0)
    high = np.minimum(xy.max(axis=0), (camera.width - 1, camera.height - 1))
    if (high <= low).any():
        return None
    return np.array([*low, *high], np.float32)


def lit_colors(posed: Posed, share: F4) -> U1:
    """(V, 3) the clothes' colours, darker where the lamps do not reach: ``share`` (V,) of the light."""
    factor = 0.66 + 0.34 * share
    colors: U1 = (posed.actor.dressed.colors * factor[:, None] + 0.5).astype(np.uint8)
    return colors


def overlapping(k: int, corners: Sequence[tuple[F8, F8]]) -> bool:
    """Whether the rectangle of person ``k`` in the picture meets another one's."""
    low, high = corners[k]
    return any(bool((low <= h).all() and (lo <= high).all()) for j, (lo, h) in enumerate(corners) if j != k)
