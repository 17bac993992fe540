"""The joint sets in which the field states its numbers, and how to gather one from another by name.

A layout is a tuple of joint names. Joints that mean the same bear the same name everywhere, those of
:data:`backends.keypoints.layout.KEYPOINT_NAMES` and of SMPL-X where these have one.

A set says which joints are compared. It does not make two definitions of a joint equal: the hip of
Human3.6M's markers, of SMPL's skeleton and of COCO's annotators lie a few centimetres apart. Papers on
3DPW regress H36M's joints from SMPL's vertices; other bodies have no such regressor, so there joints are
taken by name, and ``note`` says so beside the number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from backends.body.skeleton import JOINT_NAMES
from backends.errors import InputError
from backends.keypoints.convert import LAYOUTS
from backends.keypoints.layout import KEYPOINT_NAMES

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
Kind = Literal["skeleton", "surface"]

_BY_NAME = "joints taken by name, no regressor"


@dataclass(frozen=True, slots=True)
class JointSet:
    """A named choice of joints.

    Attributes:
        name, title: for files, and for people.
        joints: names in the set's order.
        root: the joints whose middle is the origin of root-relative errors.
        kind: ``skeleton`` for centres of rotation, ``surface`` for what annotators click; where a body
            knows a name in both senses, this says which is meant.
        note: what a reader must know to compare the number, or "".
    """

    name: str
    title: str
    joints: tuple[str, ...]
    root: tuple[str, ...]
    kind: Kind
    note: str = ""

    @property
    def root_index(self) -> list[int]:
        """Indices of ``root`` among ``joints``."""
        return [self.joints.index(n) for n in self.root]

    def __len__(self) -> int:
        return len(self.joints)


_HIPS = ("left_hip", "right_hip")
_LSP14: Final = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
    "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top",
)  # fmt: skip
_MPI17: Final = (
    "head_top", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "mid_hip", "spine", "head",
)  # fmt: skip
_BODY22: Final = JOINT_NAMES[:22]

JOINT_SETS: Final[dict[str, JointSet]] = {
    s.name: s
    for s in (
        JointSet("default23", "23 keypoints (COCO body and feet)", KEYPOINT_NAMES, _HIPS, "surface"),
        JointSet("coco17", "COCO, 17", LAYOUTS["coco17"], _HIPS, "surface"),
        JointSet("body25", "OpenPose BODY_25", LAYOUTS["body25"], ("mid_hip",), "surface"),
        JointSet("halpe26", "Halpe, 26", LAYOUTS["halpe26"], ("mid_hip",), "surface"),
        JointSet("h36m17", "Human3.6M, 17", LAYOUTS["h36m17"], ("mid_hip",), "skeleton", _BY_NAME),
        # Kolotouros et al., SPIN, ICCV 2019: origin between the hips, as all 3DPW tables since.
        JointSet("h36m14", "Human3.6M, 14 (3DPW's protocol)", _LSP14, _HIPS, "skeleton", _BY_NAME),
        JointSet("lsp14", "LSP, 14", _LSP14, _HIPS, "skeleton", _BY_NAME),
        JointSet("mpi17", "MPI-INF-3DHP, 17", _MPI17, ("mid_hip",), "skeleton", _BY_NAME),
        JointSet("smpl22", "SMPL, 22 (without hands)", _BODY22, ("pelvis",), "skeleton"),
        JointSet(
            "smpl24", "SMPL, 24", (*_BODY22, "left_hand", "right_hand"), ("pelvis",), "skeleton",
            "hands taken from SMPL-X's first middle finger joints",
        ),
        JointSet("smplx55", "SMPL-X, 55", JOINT_NAMES, ("pelvis",), "skeleton"),
    )
}  # fmt: skip
"""The sets by name. ``h36m14`` and ``lsp14`` name the same joints; the definitions differ by data set."""

_ALIASES: Final[dict[str, str]] = {"left_hand": "left_middle1", "right_hand": "right_middle1"}
"""SMPL ends in one joint a hand, where SMPL-X has the first joint of the middle finger."""
_MIDDLES: Final[dict[str, tuple[str, str]]] = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
}
"""Joints that lie, by OpenPose's definition, between two others; used where a layout lacks them."""


def joint_set(name: str) -> JointSet:
    """The set of that name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    try:
        return JOINT_SETS[name]
    except KeyError:
        raise InputError(f"There is no joint set '{name}'. Known: {', '.join(JOINT_SETS)}.") from None


def gather(points: npt.ArrayLike, layout: Sequence[str], wanted: Sequence[str]) -> F8:
    """The joints ``wanted`` out of points that lie in ``layout``'s order.

    Args:
        points: (..., J, C) of any unit.

    Returns:
        (..., K, C) float64: by name; else SMPL's hand for the finger that stands for it and the other way
        round; else the middle of the shoulders for the neck and of the hips for ``mid_hip``; else NaN.

    Raises:
        InputError: another number of points than the layout has names, or a name twice.
    """
    values = np.asarray(points, dtype=np.float64)
    if values.ndim < 2 or values.shape[-2] != len(layout):
        raise InputError(f"The layout names {len(layout)} joints, got an array of shape {values.shape}.")
    first, second = _plan(tuple(layout), tuple(wanted))
    result = values[..., first, :]
    middles = first != second
    if middles.any():
        result[..., middles, :] = (result[..., middles, :] + values[..., second[middles], :]) / 2.0
    result[..., first < 0, :] = np.nan
    return result


@lru_cache(maxsize=64)
def _plan(layout: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[I8, I8]:
    """(K,) twice: the one or two points of the layout whose middle each joint is; -1 where there is none."""
    index = {name: i for i, name in enumerate(layout)}
    if len(index) != len(layout):
        raise InputError("The layout names a joint twice.")
    found = [_sources(name, index) or [-1] for name in wanted]
    return np.array([f[0] for f in found], np.int64), np.array([f[-1] for f in found], np.int64)


def known_joints(layout: Sequence[str], wanted: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(K,) which of ``wanted`` :func:`gather` finds in ``layout``."""
    return _plan(tuple(layout), tuple(wanted))[0] >= 0


def _sources(name: str, index: dict[str, int]) -> list[int]:
    if name in index:
        return [index[name]]
    for a, b in _ALIASES.items():
        other = {a: b, b: a}.get(name)
        if other in index:
            return [index[other]]
    pair = _MIDDLES.get(name, ())
    return [index[n] for n in pair] if pair and all(n in index for n in pair) else []
