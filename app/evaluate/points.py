"""The joints of a person by name, whoever says where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.datasets.types import Points3D, TruePerson
from backends.body import BodyModel, BodyParams, posed_joints, posed_keypoints, posed_vertices
from backends.body.skeleton import JOINT_NAMES
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.metrics.joint_sets import JointSet, gather, known_joints

F8 = npt.NDArray[np.float64]

SURFACE_LAYOUTS = frozenset(
    {"keypoints23", "default", "coco17", "coco18", "body25", "halpe26", "panoptic19", "blazepose33"}
)
"""Layouts whose joints are what annotators click; all others are taken for centres of rotation."""

_SKELETON_NAMES = (*JOINT_NAMES, *(n for n in KEYPOINT_NAMES if n not in JOINT_NAMES), "head_top")
# On the surface the neck is the middle of the shoulders, not the skeleton's joint of that name.
_SURFACE_NAMES = (
    *KEYPOINT_NAMES, *(n for n in JOINT_NAMES if n not in KEYPOINT_NAMES and n != "neck"), "head_top",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class BodyPoints:
    """The points of a posed body: joints (55, 3), keypoints (23, 3), the head's top (3,), metres."""

    joints: F8
    keypoints: F8
    head_top: F8

    def gather(self, wanted: JointSet) -> F8:
        """(K, 3) the set's joints, NaN where a body has none of the name.

        Skeletal sets take the joints of the skeleton first, surface sets the keypoints.
        """
        if wanted.kind == "skeleton":
            kept = [KEYPOINT_NAMES.index(n) for n in _SKELETON_NAMES[len(JOINT_NAMES) : -1]]
            points = np.vstack([self.joints, self.keypoints[kept], self.head_top])
            return gather(points, _SKELETON_NAMES, wanted.joints)
        kept = [JOINT_NAMES.index(n) for n in _SURFACE_NAMES[len(KEYPOINT_NAMES) : -1]]
        points = np.vstack([self.keypoints, self.joints[kept], self.head_top])
        return gather(points, _SURFACE_NAMES, wanted.joints)


class Poser:
    """Poses bodies of one model and knows its landmarks."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body
        heads = np.flatnonzero(body.head_vertices)
        self._top = int(heads[np.argmax(body.v_template[heads, 1])])

    def points(self, params: BodyParams, vertices: F8 | None = None) -> BodyPoints:
        """Where its joints, keypoints and the top of its head are; ``vertices`` where they are known."""
        mesh = self.vertices(params) if vertices is None else vertices
        return BodyPoints(
            posed_joints(self.body, params), posed_keypoints(self.body, params), mesh[self._top]
        )

    def vertices(self, params: BodyParams) -> F8:
        """(V, 3) metres."""
        return posed_vertices(self.body, params)

    def takes(self, params: BodyParams | None, body: str | None) -> bool:
        """Whether these are parameters of this body, which is the free one."""
        return params is not None and body == "free" and params.betas.shape == (self.body.n_betas,)


def true_joints(person: TruePerson, wanted: JointSet, body: BodyPoints | None) -> F8:
    """(K, 3) where the truth says the set's joints are, metres; NaN where it does not.

    Out of several layouts the one that is the set itself is taken, else one of the set's kind that knows
    most of its joints, else the true body's own points.
    """
    best: Points3D | None = None
    rank = (-1, -1, 0)
    for points in person.points_3d:
        kind = "surface" if points.layout.name in SURFACE_LAYOUTS else "skeleton"
        n = int(known_joints(points.layout.joints, wanted.joints).sum())
        this = (int(points.layout.joints == wanted.joints), int(kind == wanted.kind), n)
        if n and this > rank:
            best, rank = points, this
    if best is not None and (rank[0] or rank[1] or body is None):
        said = gather(best.xyz, best.layout.joints, wanted.joints)
        # What its layout has no name for (the top of the head) the very same body still knows.
        unnamed = ~known_joints(best.layout.joints, wanted.joints)
        return np.where(unnamed[:, None], body.gather(wanted), said) if body is not None else said
    if body is not None:
        return body.gather(wanted)
    return np.full((len(wanted), 3), np.nan)
