"""Where a body's ends shall be at one moment: what a motion says, and what mixes well with another one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.body.pose import rodrigues
from backends.body.skeleton import JOINT_INDEX
from backends.synthetic.motion import hands
from backends.synthetic.motion.maths import log_map
from backends.synthetic.motion.rig import Rig
from backends.synthetic.motion.solve import chest_of, solve_pose

F8 = npt.NDArray[np.float64]

_SPINE3, _NECK = JOINT_INDEX["spine3"], JOINT_INDEX["neck"]
_SHOULDERS = (JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"])


def heading_frame(heading: float) -> F8:
    """(3, 3) world rotation of an upright body that faces (cos, sin) of ``heading``, radians."""
    c, s = np.cos(heading), np.sin(heading)
    return np.array([[-s, 0.0, c], [c, 0.0, s], [0.0, 1.0, 0.0]])


def turn(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> F8:
    """(3, 3) rotation by an axis-angle, radians, body axes."""
    R: F8 = rodrigues(np.array([x, y, z]))
    return R


def hand_frame(side: int, fingers: F8, palm: F8) -> F8:
    """World rotation of a hand whose fingers point along ``fingers`` and whose palm faces ``palm``.

    Args:
        side: 0 left, 1 right.
        fingers: (3,), palm: (3,) directions of any length; ``palm`` is made square to ``fingers``.
    """
    f = fingers / np.sqrt(fingers @ fingers)
    n = palm - f * (f @ palm)
    n /= np.sqrt(n @ n)
    x = f if side == 0 else -f
    y = -n
    z = np.array([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]])
    return np.stack([x, y, z], axis=1)


def between(A: F8, B: F8, share: float) -> F8:
    """The rotation a share of the way from A to B along the shortest turn."""
    turned: F8 = A @ rodrigues(log_map(np.ascontiguousarray(A.T @ B)) * share)
    return turned


@dataclass(slots=True)
class Goal:
    """Where the ends of a body shall be; world coordinates unless said otherwise.

    Attributes:
        pelvis: (3,) place of its joint; root: (3, 3) its rotation.
        spine: (3,) axis-angle of the whole back; head: (3,) of the head on the chest.
        eyes: (2,) turn to the left and down; jaw: opening; shrug: (2,) lift of the shoulders; radians.
        ankles: (2, 3) places; feet: (2, 3) yaw in the world, pitch (heel up) and bend of the toes.
        wrists: (2, 3) places; hands: (2, 3, 3) rotations; swivel: (2,) of the elbow, outwards.
        fingers: (2, 15, 3) axis-angles as for a left hand.
    """

    pelvis: F8
    root: F8
    ankles: F8
    feet: F8
    spine: F8 = field(default_factory=lambda: np.zeros(3))
    head: F8 = field(default_factory=lambda: np.zeros(3))
    eyes: F8 = field(default_factory=lambda: np.zeros(2))
    jaw: float = 0.01
    shrug: F8 = field(default_factory=lambda: np.zeros(2))
    wrists: F8 = field(default_factory=lambda: np.zeros((2, 3)))
    hands: F8 = field(default_factory=lambda: np.stack([np.eye(3), np.eye(3)]))
    swivel: F8 = field(default_factory=lambda: np.zeros(2))
    fingers: F8 = field(default_factory=lambda: np.stack([hands.RELAXED, hands.RELAXED]))

    def chest(self, rig: Rig) -> tuple[F8, F8]:
        """World rotation and place of joint spine3."""
        R, at = chest_of(rig.J, self.root, self.pelvis, self.spine)
        return R, at

    def shoulder(self, rig: Rig, side: int) -> F8:
        """(3,) world place of a shoulder, the shoulder blade at rest."""
        R, at = self.chest(rig)
        point: F8 = at + R @ (rig.J[_SHOULDERS[side]] - rig.J[_SPINE3])
        return point

    def from_chest(self, rig: Rig, point: F8) -> F8:
        """(3,) world place of a point given in the chest's axes from the joint spine3."""
        R, at = self.chest(rig)
        world: F8 = at + R @ point
        return world

    def from_pelvis(self, point: F8) -> F8:
        """(3,) world place of a point given in the pelvis' axes from its joint."""
        world: F8 = self.pelvis + self.root @ point
        return world

    def put_hand(self, side: int, point: F8, fingers: F8, palm: F8, grasp: F8 | None = None) -> None:
        """Bring a hand to ``point``.

        Args:
            side: 0 left, 1 right.
            point: (3,) world.
            fingers, palm: (3,) world directions, see :func:`hand_frame`.
            grasp: (3,) which point of a left hand comes there, hand axes from the wrist; None: the wrist.
        """
        R = hand_frame(side, fingers, palm)
        self.hands[side] = R
        if grasp is None:
            self.wrists[side] = point
        else:
            self.wrists[side] = point - R @ (grasp * (1.0 if side == 0 else np.array([-1.0, 1.0, 1.0])))

    def gaze(self, rig: Rig, point: F8) -> F8:
        """(2,) yaw to the left and pitch downwards, radians, of a world point seen from the chest.

        A point behind counts as one at the side: nobody's head goes round.
        """
        R, at = self.chest(rig)
        d = R.T @ (point - at) - (rig.J[_NECK] - rig.J[_SPINE3]) - rig.eyes * np.array([0.0, 1.0, 0.5])
        ahead = 0.5 * (d[2] + np.sqrt(d[2] * d[2] + 0.09))
        return np.array([np.arctan2(d[0], ahead), -np.arctan2(d[1], np.hypot(d[0], ahead))])

    def face(self, yaw: float, pitch: float, tilt: float = 0.0) -> None:
        """Turn head and eyes to a direction from the chest; the eyes go the last part of the way."""
        head_yaw, head_pitch = 1.10 * np.tanh(0.80 * yaw / 1.10), 0.72 * np.tanh(0.82 * pitch / 0.72)
        R = turn(y=head_yaw) @ turn(x=head_pitch) @ turn(z=tilt)
        self.head = log_map(np.ascontiguousarray(R))
        self.eyes = np.array(
            [0.40 * np.tanh((yaw - head_yaw) / 0.40), 0.30 * np.tanh((pitch - head_pitch) / 0.30)]
        )

    def solved(self, rig: Rig) -> BodyParams:
        """The body's parameters, world coordinates."""
        pose = solve_pose(
            rig.J, rig.limits, self.root, self.pelvis, self.spine, self.head, self.eyes, self.jaw, self.shrug,
            self.ankles, self.feet, self.wrists, self.hands, self.swivel, self.fingers,
        )  # fmt: skip
        return BodyParams(rig.betas, pose, self.pelvis - rig.J[0])


def mixed(a: Goal, b: Goal, share: float) -> Goal:
    """A goal a share of the way from ``a`` to ``b``: places on straight lines, rotations the short way."""

    def line(x: F8, y: F8) -> F8:
        return x + share * (y - x)

    return Goal(
        pelvis=line(a.pelvis, b.pelvis), root=between(a.root, b.root, share),
        ankles=line(a.ankles, b.ankles), feet=line(a.feet, b.feet), spine=line(a.spine, b.spine),
        head=line(a.head, b.head), eyes=line(a.eyes, b.eyes), jaw=a.jaw + share * (b.jaw - a.jaw),
        shrug=line(a.shrug, b.shrug), wrists=line(a.wrists, b.wrists),
        hands=np.stack([between(a.hands[s], b.hands[s], share) for s in (0, 1)]),
        swivel=line(a.swivel, b.swivel), fingers=line(a.fingers, b.fingers),
    )  # fmt: skip
