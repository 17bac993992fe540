"""Fingers, wrists and jaw of a fitted body from the points of hands and face.

The body's keypoints end at the wrist, so its fit says nothing of how a hand is held. Here the palm's
directions give the wrist's rotation (Kabsch, Acta Crystallographica A32, 1976), and each finger's bones give
its bends one after the other, knuckle to tip: two angles at the knuckle, one at each hinge, within what a
finger can do. Nothing but these joints moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from backends.body import BodyModel, BodyParams
from backends.body.pose import forward_kinematics
from backends.body.skeleton import JOINT_NAMES, PARENTS
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.start import ray_frame
from backends.keypoints.details import FINGERS, N_HAND, Details, HandLandmarks
from backends.keypoints.face import mouth_opening

F8 = npt.NDArray[np.float64]

_SIDES: Final = ("left", "right")
_JAW: Final = JOINT_NAMES.index("jaw")
_PALM: Final = (0, 5, 9, 13, 17)
"""The hand's points on the palm: wrist and the knuckles of the four fingers."""
_LEAST_BONE_M = 0.005
_CHAINS: Final = ("thumb", "index", "middle", "ring", "pinky")
_KNUCKLE = (-0.6, 1.7)
_SPREAD = 0.45
_HINGE = (-0.15, 1.9)
_THUMB = 1.1
"""Limits of bends, radians: at the knuckle, sideways there, at the hinges, of each joint of the thumb."""
_WRIST = 1.9
"""A wrist turned further from its rest than this is a mistake: then the hand stays as it was."""
_PALM_SHAPE = 0.35
"""Mean miss of the palm's points, in palm lengths, beyond which the points are no hand."""
_JAW_M, _FACE_HEIGHT_M = 0.095, 0.17
"""From the jaw's joint to the lips, and from forehead to chin, of an adult."""
_CLOSED, _JAW_MOST = 0.02, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Rest:
    """One hand of one shape at rest: joints of wrist (1) and fingers (5, 3), bones (5, 3, 3), the palm."""

    wrist: int
    joints: tuple[tuple[int, int, int], ...]
    bones: F8
    palm: F8
    normal: F8


class HandBender:
    """Bends the hands and opens the mouth of bodies of one model. Keeps no state between bodies."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._tips = {side: self._tip_vertices(side) for side in _SIDES}

    @property
    def has_hands(self) -> bool:
        """False for a body without finger joints (SMPL): then :meth:`bend` leaves hands as they are."""
        J = self._body.J_template
        chains = [chain for side in _SIDES for chain in _joints(side)]
        return min(float(np.linalg.norm(J[c[1]] - J[c[0]])) for c in chains) > _LEAST_BONE_M

    def bend(self, params: BodyParams, details: Details, camera: Camera) -> BodyParams:
        """The body with wrists, fingers and jaw as the points show them; the rest does not move.

        Args:
            params: camera coordinates, metres.
            details: hands and face of the picture that ``camera`` took.

        Raises:
            InputError: a body or points that are not finite.
        """
        if not np.isfinite(params.pose).all():
            raise InputError("A body whose hands are to be bent needs finite angles.")
        pose = params.pose.copy()
        if self.has_hands:
            G = forward_kinematics(self._joints(params), self._body.parents, params.pose, params.transl)[0]
            for side, hand in zip(_SIDES, (details.left_hand, details.right_hand)):
                if hand is not None:
                    _bend_hand(pose, self._rest(params, side), _seen_by(hand, camera), G)
        if details.face is not None:
            pose[_JAW] = [jaw_angle(mouth_opening(details.face)), 0.0, 0.0]
        return replace(params, pose=pose)

    def bend_to_points(self, params: BodyParams, left: F8 | None, right: F8 | None) -> BodyParams:
        """The body with wrists and fingers as points in space show them, such as several cameras give
        (:func:`backends.multiview.triangulate`); the rest does not move.

        Args:
            left, right: (21, 3) metres, the coordinates of ``params``; None where not seen. A hand with
                points that are not finite is left as it is.

        Raises:
            InputError: points of another shape, or a body that is not finite.
        """
        if not np.isfinite(params.pose).all():
            raise InputError("A body whose hands are to be bent needs finite angles.")
        pose = params.pose.copy()
        if not self.has_hands:
            return params
        G = forward_kinematics(self._joints(params), self._body.parents, params.pose, params.transl)[0]
        for side, points in zip(_SIDES, (left, right)):
            if points is None:
                continue
            if points.shape != (N_HAND, 3):
                raise InputError(f"A hand in space needs 21 points, shape (21, 3), got {points.shape}.")
            if np.isfinite(points).all():
                _bend_hand(pose, self._rest(params, side), np.asarray(points, np.float64), G)
        return replace(params, pose=pose)

    def points(self, params: BodyParams, side: str) -> F8:
        """(21, 3) the body's own points of the ``side`` hand, in MediaPipe's order, camera coordinates."""
        J = self._joints(params)
        G, P, _ = forward_kinematics(J, self._body.parents, params.pose, params.transl)
        points = np.empty((N_HAND, 3))
        points[0] = P[JOINT_NAMES.index(f"{side}_wrist")]
        tips = self._tip_places(params, side)
        for finger, chain, tip in zip(FINGERS, _joints(side), tips):
            points[list(finger[:3])] = P[list(chain)]
            points[finger[3]] = P[chain[2]] + G[chain[2]] @ (tip - J[chain[2]])
        return points

    # --- the hand at rest ---------------------------------------------------------------------

    def _joints(self, params: BodyParams) -> F8:
        return np.asarray(self._body.J_template + self._body.J_shapedirs @ params.betas)

    def _tip_vertices(self, side: str) -> list[int]:
        body = self._body
        tips = []
        for chain in _joints(side):
            own = np.flatnonzero(body.part_of_vertex == chain[2])
            along = body.J_template[chain[2]] - body.J_template[chain[1]]
            tips.append(int(own[np.argmax(body.v_template[own] @ along)]) if len(own) else 0)
        return tips

    def _tip_places(self, params: BodyParams, side: str) -> F8:
        tips = self._tips[side]
        return np.asarray(self._body.v_template[tips] + self._body.shapedirs[tips] @ params.betas)

    def _rest(self, params: BodyParams, side: str) -> _Rest:
        J = self._joints(params)
        wrist, joints = JOINT_NAMES.index(f"{side}_wrist"), _joints(side)
        bones = np.array([
            [J[b] - J[a], J[c] - J[b], tip - J[c]]
            for (a, b, c), tip in zip(joints, self._tip_places(params, side))
        ])  # fmt: skip
        palm = np.array([np.zeros(3), *(J[chain[0]] - J[wrist] for chain in joints[1:])])
        normal = np.cross(palm[1] - palm[4], palm[1:].mean(axis=0))
        # At rest the arms are spread and the palms look down.
        normal *= -np.sign(normal[1]) / np.linalg.norm(normal)
        return _Rest(wrist, joints, bones / np.linalg.norm(bones, axis=2, keepdims=True), palm, normal)


def _seen_by(hand: HandLandmarks, camera: Camera) -> F8:
    """(21, 3) a hand's points about its middle, axes of the camera.

    Raises:
        InputError: points that are not finite.
    """
    if not (np.isfinite(hand.world).all() and np.isfinite(hand.xy).all()):
        raise InputError("The points of a hand need finite values.")
    middle = hand.xy.astype(np.float64).mean(axis=0)
    return np.asarray(hand.world.astype(np.float64) @ ray_frame(camera, middle).T)


def _bend_hand(pose: F8, rest: _Rest, seen: F8, G: F8) -> None:
    """Write the wrist and fingers of points ``seen`` (21, 3), the body's axes, into ``pose`` (55, 3)."""
    turn = _palm_turn(rest.palm, seen[list(_PALM)])
    if turn is None:
        return
    wrist = Rotation.from_matrix(G[int(PARENTS[rest.wrist])].T @ turn).as_rotvec()
    if float(np.linalg.norm(wrist)) > _WRIST:
        return
    pose[rest.wrist] = wrist
    local = seen @ turn  # rows in the axes of the hand at rest
    for c, (finger, chain) in enumerate(zip(FINGERS, rest.joints)):
        bones = np.diff(local[list(finger)], axis=0)
        bends = _thumb(rest.bones[c], bones) if c == 0 else _finger(rest.bones[c], bones, rest.normal)
        pose[list(chain)] = bends


def _joints(side: str) -> tuple[tuple[int, int, int], ...]:
    chains = [[JOINT_NAMES.index(f"{side}_{c}{k}") for k in (1, 2, 3)] for c in _CHAINS]
    return tuple((a, b, c) for a, b, c in chains)


def _palm_turn(rest: F8, seen: F8) -> F8 | None:
    """(3, 3) from the palm at rest (5, 3) to the one seen; None where that is no palm."""
    a, b = rest - rest.mean(axis=0), seen - seen.mean(axis=0)
    size = float(np.sqrt((b * b).sum()))
    if size < _LEAST_BONE_M:
        return None
    a, b = a / np.sqrt((a * a).sum()), b / size
    turn = Rotation.align_vectors(b, a)[0].as_matrix()
    miss = float(np.sqrt(((a @ turn.T - b) ** 2).sum()))
    return turn if miss < _PALM_SHAPE else None


def _finger(rest: F8, seen: F8, normal: F8) -> F8:
    """(3, 3) axis-angles of a finger's joints: bones (3, 3) at rest and as seen, in the hand's axes."""
    bends = np.zeros((3, 3))
    turn = np.eye(3)
    for k in range(3):
        bone = rest[k]
        across = np.cross(bone, normal)
        across /= np.linalg.norm(across)
        up = np.cross(across, bone)
        there = turn.T @ seen[k]
        there /= max(float(np.linalg.norm(there)), 1e-9)
        bend = float(np.arctan2(there @ up, there @ bone))
        if k == 0:
            side = float(np.clip(-np.arcsin(np.clip(there @ across, -1.0, 1.0)), -_SPREAD, _SPREAD))
            own = Rotation.from_rotvec(across * np.clip(bend, *_KNUCKLE)) * Rotation.from_rotvec(up * side)
        else:
            own = Rotation.from_rotvec(across * np.clip(bend, *_HINGE))
        bends[k] = own.as_rotvec()
        turn = turn @ own.as_matrix()
    return bends


def _thumb(rest: F8, seen: F8) -> F8:
    """(3, 3) axis-angles of the thumb's joints, each the shortest turn of its bone, within limits."""
    bends = np.zeros((3, 3))
    turn = np.eye(3)
    for k in range(3):
        there = turn.T @ seen[k]
        there /= max(float(np.linalg.norm(there)), 1e-9)
        axis = np.cross(rest[k], there)
        sine = float(np.linalg.norm(axis))
        angle = min(float(np.arctan2(sine, rest[k] @ there)), _THUMB)
        bends[k] = axis / max(sine, 1e-9) * angle
        turn = turn @ Rotation.from_rotvec(bends[k]).as_matrix()
    return bends


def jaw_angle(opening: float) -> float:
    """Radians by which the jaw is open where the lips are ``opening`` of the face's height apart."""
    if not np.isfinite(opening):
        return 0.0
    gap = max(opening - _CLOSED, 0.0) * _FACE_HEIGHT_M
    return float(min(2.0 * np.arcsin(min(gap / (2.0 * _JAW_M), 1.0)), _JAW_MOST))
