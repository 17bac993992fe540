"""The places of a body whose error is told: its 22 fitted joints, both hands, the nose and the toes.

Every vertex and keypoint hangs between some of them. The weights follow from the skinning weights and
the rest pose, so that what is doubtful about an elbow and a wrist is carried to the forearm between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from backends.fitting.arrays import BodyArrays
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.problem import joint_roots, make_problem
from backends.keypoints.layout import INDEX, N_KEYPOINTS

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_TIPS: Final = (
    ("left_hand", "left_wrist", "left_middle1"), ("right_hand", "right_wrist", "right_middle1"),
    ("nose", "head", "nose"), ("left_toe", "left_foot", "left_big_toe"),
    ("right_toe", "right_foot", "right_big_toe"),
)  # fmt: skip
"""Name, the joint that it hangs on, and the joint or keypoint that it is."""

SITE_NAMES: Final[tuple[str, ...]] = (*JOINT_NAMES[:N_FIT_JOINTS], *(name for name, _, _ in _TIPS))
N_SITES: Final = len(SITE_NAMES)
SITE_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(SITE_NAMES)}

KINDS: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(n.removeprefix("left_").removeprefix("right_") for n in SITE_NAMES)
)
"""Sites without their side: left and right are alike to the model."""

KIND_OF_SITE: Final[tuple[int, ...]] = tuple(
    KINDS.index(n.removeprefix("left_").removeprefix("right_")) for n in SITE_NAMES
)

_NEAREST: Final[dict[str, tuple[str, ...]]] = {
    "pelvis": ("left_hip", "right_hip"), "spine1": ("left_hip", "right_hip"),
    "spine2": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    "spine3": ("left_shoulder", "right_shoulder"), "neck": ("left_shoulder", "right_shoulder"),
    "head": ("nose", "left_ear", "right_ear"), "left_collar": ("left_shoulder",),
    "right_collar": ("right_shoulder",), "left_foot": ("left_big_toe", "left_heel"),
    "right_foot": ("right_big_toe", "right_heel"), "left_hand": ("left_wrist",),
    "right_hand": ("right_wrist",), "left_toe": ("left_big_toe",), "right_toe": ("right_big_toe",),
}  # fmt: skip

_LEAST = 0.02
WEIGHTS_A_VERTEX: Final = 6


def site_parents() -> I8:
    """(27,) the site before each one on the way from the pelvis; the pelvis is its own."""
    parents = [max(p, 0) for p in PARENTS[:N_FIT_JOINTS]]
    parents += [JOINT_INDEX[joint] for _, joint, _ in _TIPS]
    return np.array(parents, dtype=np.int64)


def nearest_keypoints() -> F8:
    """(27, 23) shares, rows adding up to 1: which keypoints tell about a site."""
    matrix = np.zeros((N_SITES, N_KEYPOINTS))
    for row, name in zip(matrix, SITE_NAMES):
        names = _NEAREST.get(name, (name,))
        for keypoint in names:
            row[INDEX[keypoint]] = 1.0 / len(names)
    return matrix


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The sites of one body model.

    Attributes:
        body: the body model.
        arrays: the sites as points of the fit (see :mod:`backends.fitting.kernels`).
        points: the keypoints (and joints) as points of the fit.
        vertex_site, vertex_weight: (V, 6) the sites that a vertex hangs between, and their shares.
        keypoint_weight: (23, 27), joint_weight: (55, 27) shares for keypoints and for all joints.
    """

    body: BodyModel
    arrays: BodyArrays
    points: BodyArrays
    vertex_site: I8
    vertex_weight: F8
    keypoint_weight: F8
    joint_weight: F8


@lru_cache(maxsize=4)
def make_sites(body: BodyModel) -> Sites:
    """The sites of a body; worked out once, some tenths of a second."""
    roots = joint_roots(body)
    skin = np.zeros((body.n_vertices, N_FIT_JOINTS))
    for j, root in enumerate(roots):
        skin[:, root] += body.weights[:, j]
    joint_weight = np.zeros((len(JOINT_NAMES), N_SITES))
    joint_weight[np.arange(N_FIT_JOINTS), np.arange(N_FIT_JOINTS)] = 1.0
    problem = make_problem(body)
    rest = _rest_places(body, problem)
    folded = np.zeros((len(JOINT_NAMES) - N_FIT_JOINTS, N_FIT_JOINTS))
    folded[np.arange(len(folded)), roots[N_FIT_JOINTS:]] = 1.0
    joint_weight[N_FIT_JOINTS:] = _between_sites(body.J_template[N_FIT_JOINTS:], folded, rest)
    keypoint_rest = problem.template[:N_KEYPOINTS].sum(axis=1)
    every = _between_sites(body.v_template, skin, rest)
    site, weight = _strongest(every)
    return Sites(
        body=body,
        arrays=_site_arrays(body, problem),
        points=problem,
        vertex_site=site,
        vertex_weight=weight,
        keypoint_weight=_between_sites(keypoint_rest, problem.weight[:N_KEYPOINTS], rest),
        joint_weight=joint_weight,
    )


def _rest_places(body: BodyModel, problem: BodyArrays) -> F8:
    """(27, 3) the sites in the rest pose, metres."""
    places = [body.J_template[j] for j in range(N_FIT_JOINTS)]
    for _, _, what in _TIPS:
        keypoint = what in INDEX
        places.append(
            problem.template[INDEX[what]].sum(axis=0) if keypoint else body.J_template[JOINT_INDEX[what]]
        )
    return np.array(places)


def _site_arrays(body: BodyModel, problem: BodyArrays) -> BodyArrays:
    rows = [N_KEYPOINTS + j for j in range(N_FIT_JOINTS)]
    weight, template, dirs = problem.weight[rows], problem.template[rows], problem.dirs[rows]
    for _, joint, what in _TIPS:
        hangs = JOINT_INDEX[joint]
        w, t = np.zeros((1, N_FIT_JOINTS)), np.zeros((1, N_FIT_JOINTS, 3))
        d = np.zeros((1, N_FIT_JOINTS, 3, body.n_betas))
        if what in INDEX:
            k = INDEX[what]
            w[0], t[0], d[0] = problem.weight[k], problem.template[k], problem.dirs[k]
        else:
            j = JOINT_INDEX[what]
            w[0, hangs], t[0, hangs], d[0, hangs] = 1.0, body.J_template[j], body.J_shapedirs[j]
        weight, template = np.concatenate([weight, w]), np.concatenate([template, t])
        dirs = np.concatenate([dirs, d])
    return problem._replace(
        weight=np.ascontiguousarray(weight),
        template=np.ascontiguousarray(template),
        dirs=np.ascontiguousarray(dirs),
    )


def _between_sites(places: F8, skin: F8, rest: F8) -> F8:
    """(N, 27) shares of the sites in points (N, 3) that hang on joints by ``skin`` (N, 22).

    A point that a joint moves lies between that joint and the next site outwards, by its place along the
    bone that it is nearest to.
    """
    parents = site_parents()
    out = np.zeros((len(places), N_SITES))
    rows = np.arange(len(places))
    for j in range(N_FIT_JOINTS):
        ends = [s for s in range(1, N_SITES) if parents[s] == j]
        if not ends:
            out[:, j] += skin[:, j]
            continue
        along, away = [], []
        for end in ends:
            axis = rest[end] - rest[j]
            a = np.clip((places - rest[j]) @ axis / max(float(axis @ axis), 1e-9), 0.0, 1.0)
            along.append(a)
            away.append(np.linalg.norm(places - rest[j] - a[:, None] * axis, axis=1))
        nearest = np.argmin(away, axis=0)
        a = np.array(along)[nearest, rows]
        out[:, j] += (1.0 - a) * skin[:, j]
        np.add.at(out, (rows, np.array(ends)[nearest]), a * skin[:, j])
    shares: F8 = out / np.maximum(out.sum(axis=1, keepdims=True), 1e-9)
    return shares


def _strongest(shares: F8) -> tuple[I8, F8]:
    order = np.argsort(-shares, axis=1)[:, :WEIGHTS_A_VERTEX]
    top = np.take_along_axis(shares, order, axis=1)
    top[top < _LEAST] = 0.0
    return order.astype(np.int64), top / top.sum(axis=1, keepdims=True)
