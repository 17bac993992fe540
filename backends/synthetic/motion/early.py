"""How people move: walking, working with both hands, pointing. Smooth in time, within joint limits.

World coordinates (metres, z up). A pose is the body's (55, 3) axis-angles with row 0 in the world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import forward_kinematics, posed_keypoints, shaped_joints
from backends.body.skeleton import JOINT_INDEX

F8 = npt.NDArray[np.float64]
Path = Callable[[float], F8]

_HANDS = tuple(
    f"{s}_{f}{k}" for s in ("left", "right") for f in ("index", "middle", "ring", "pinky") for k in (1, 2, 3)
)
_SOLE = 0.022
"""Height of the keypoints of a standing foot over the floor: the shoe's sole."""


@dataclass(slots=True)
class Figure:
    """One person being posed: the body, their shape, and the pose so far."""

    body: BodyModel
    betas: F8
    pose: F8 = field(default_factory=lambda: np.zeros((55, 3)))

    def turn(self, joint: str, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> None:
        """Set a joint to rotations about the T-pose's axes, degrees, applied z then y then x."""
        self.pose[JOINT_INDEX[joint]] = Rotation.from_euler("zyx", [z, y, x], degrees=True).as_rotvec()

    def fingers(self, curl: float) -> None:
        """Close both hands by ``curl`` degrees a joint."""
        for name in _HANDS:
            self.pose[JOINT_INDEX[name]] = (0, 0, np.deg2rad(-curl if name.startswith("left") else curl))

    def reach(self, side: str, target: F8, elbow_towards: F8) -> None:
        """Bring a wrist to ``target`` with the elbow towards a direction (both in the pelvis' frame:
        x to the body's left, y up, z forwards, origin at the pelvis joint); as near as the arm allows."""
        shoulder, elbow, wrist = (JOINT_INDEX[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist"))
        J = shaped_joints(self.body, self.betas)
        pose = self.pose.copy()
        pose[0] = 0.0
        G, P, _ = forward_kinematics(J, self.body.parents, pose, np.zeros(3))
        chest = G[self.body.parents[shoulder]]
        aim = chest.T @ (target + J[0] - P[shoulder])
        pole = chest.T @ elbow_towards
        upper, lower = J[elbow] - J[shoulder], J[wrist] - J[elbow]
        a, b = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
        distance = float(np.clip(np.linalg.norm(aim), 0.25 * (a + b), 0.985 * (a + b)))
        bend = np.pi - np.arccos(np.clip((a * a + b * b - distance**2) / (2 * a * b), -1, 1))
        sign = -1.0 if side == "left" else 1.0
        self.pose[elbow] = (0.0, sign * bend, 0.0)
        hand = upper + Rotation.from_rotvec(self.pose[elbow]).as_matrix() @ lower
        turn = _frame(aim, pole) @ _frame(hand, upper).T
        self.pose[shoulder] = Rotation.from_matrix(turn).as_rotvec()

    def clipped(self) -> F8:
        """The pose, held within the joint limits."""
        limits = self.body.joint_limits
        pose = np.clip(self.pose, limits[..., 0], limits[..., 1])
        pose[0] = self.pose[0]
        return pose


def _frame(first: F8, second: F8) -> F8:
    a = first / np.linalg.norm(first)
    b = second - a * (a @ second)
    b /= np.linalg.norm(b)
    return np.stack([a, b, np.cross(a, b)], axis=1)


def upright(heading: float, lean: float = 0.0) -> Rotation:
    """The root's rotation of somebody who faces (cos, sin) of ``heading``; ``lean`` forwards, radians."""
    c, s = np.cos(heading), np.sin(heading)
    base = Rotation.from_matrix(np.array([[-s, 0.0, c], [c, 0.0, s], [0.0, 1.0, 0.0]]))
    return base * Rotation.from_rotvec([lean, 0.0, 0.0])


def standing(figure: Figure, at: F8, heading: float, lean: float = 0.0, roll: float = 0.0) -> BodyParams:
    """The figure with its lowest foot on the floor and the pelvis over ``at`` (2,)."""
    root = upright(heading, lean) * Rotation.from_rotvec([0.0, 0.0, roll])
    figure.pose[0] = root.as_rotvec()
    pose = figure.clipped()
    J0 = shaped_joints(figure.body, figure.betas)[0]
    params = BodyParams(figure.betas, pose, np.array([at[0], at[1], 0.0]) - J0)
    feet = posed_keypoints(figure.body, params)[17:, 2]
    return BodyParams(figure.betas, pose, params.transl + np.array([0.0, 0.0, _SOLE - feet.min()]))


def wander(rng: np.random.Generator, seconds: float, every: float, centre: F8, spread: F8) -> Path:
    """A smooth random path about ``centre``: one new place every ``every`` seconds."""
    n = max(int(np.ceil(seconds / every)) + 4, 5)
    knots = centre + spread * rng.uniform(-1, 1, (n, len(centre)))
    spline = CubicSpline((np.arange(n) - 1) * every, knots)
    return lambda t: np.asarray(spline(t), dtype=np.float64)


class Worker:
    """Stands at the table and works on the patient with both hands."""

    def __init__(
        self, body: BodyModel, betas: F8, at: F8, heading: float, seconds: float, rng: np.random.Generator
    ) -> None:
        self._body, self._betas, self._at, self._heading = body, betas, at, heading
        self._left = wander(rng, seconds, 0.65, np.array([0.15, 0.13, 0.47]), np.array([0.07, 0.05, 0.05]))
        self._right = wander(rng, seconds, 0.55, np.array([-0.15, 0.13, 0.47]), np.array([0.07, 0.06, 0.05]))
        self._sway = wander(rng, seconds, 1.7, np.zeros(4), np.array([0.02, 0.015, 1.0, 1.0]))

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        figure = Figure(self._body, self._betas)
        sway = self._sway(t)
        for name in ("spine1", "spine2", "spine3"):
            figure.turn(name, x=6, y=2.5 * sway[2])
        figure.turn("neck", x=16 + 2 * sway[3], y=5 * sway[2])
        figure.turn("head", x=10, y=6 * sway[3])
        for side in ("left", "right"):
            figure.turn(f"{side}_hip", x=-6)
            figure.turn(f"{side}_knee", x=6)
        figure.fingers(22)
        down, outwards = np.array([0.0, -1.0, -0.15]), np.array([0.45, 0.0, 0.0])
        figure.reach("left", self._left(t), down + outwards)
        figure.reach("right", self._right(t), down - outwards)
        return standing(figure, self._at + sway[:2], self._heading, lean=0.06)


class Pointer:
    """Stands, looks about, and points at something now and then."""

    def __init__(
        self,
        body: BodyModel,
        betas: F8,
        at: F8,
        heading: float,
        target: F8,
        seconds: float,
        rng: np.random.Generator,
    ) -> None:
        self._body, self._betas, self._at, self._heading, self._target = body, betas, at, heading, target
        self._sway = wander(rng, seconds, 1.5, np.zeros(4), np.array([0.015, 0.015, 1.0, 1.0]))
        self._phase = rng.uniform(0.0, 0.8)

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        figure = Figure(self._body, self._betas)
        sway = self._sway(t)
        # Raised for about half of every five seconds.
        raised = float(_ease(0.5 - 1.1 * np.cos(2 * np.pi * (t + self._phase) / 5.0)))
        towards = (
            upright(self._heading).inv().apply(np.append(self._target[:2] - self._at, self._target[2] - 1.35))
        )
        towards /= np.linalg.norm(towards)
        for name in ("spine1", "spine2", "spine3"):
            figure.turn(name, x=1, y=2 * sway[2])
        look = np.rad2deg(np.arctan2(towards[0], towards[2]))
        figure.turn("neck", y=np.clip(0.45 * look * raised, -35, 35) + 3 * sway[3], x=2)
        figure.turn("head", y=np.clip(0.35 * look * raised, -30, 30), x=4 * (1 - raised))
        figure.turn("right_shoulder", x=6, z=72)
        figure.turn("right_elbow", y=28)
        for side in ("left", "right"):
            figure.turn(f"{side}_hip", x=-2, z=3 if side == "left" else -3)
            figure.turn(f"{side}_knee", x=5)
        figure.fingers(12)
        rest = np.array([0.27, -0.07, 0.10])
        chest = np.array([0.17, 0.42, 0.05])
        straight = chest + 0.53 * towards
        target = rest + (straight - rest) * raised + np.array([0.08, 0.0, 0.06]) * np.sin(np.pi * raised)
        figure.reach("left", target, np.array([0.5, -0.8, -0.5]))
        return standing(figure, self._at + sway[:2], self._heading)


class Walker:
    """Walks to and fro through the room along way points, standing a moment at the ends."""

    def __init__(self, body: BodyModel, betas: F8, way: F8, speed: float, rng: np.random.Generator) -> None:
        self._body, self._betas = body, betas
        self._way = way
        self._length = float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
        self._walk_s = self._length / speed + _START_S
        self._speed = speed
        leg = float(
            np.abs(
                body.J_template[JOINT_INDEX["left_ankle"], 1] - body.J_template[JOINT_INDEX["left_hip"], 1]
            )
        )
        self._swing = np.deg2rad(25.0)
        self._stride = 4.0 * leg * float(np.sin(self._swing))
        self._phase = rng.uniform(0.0, 2 * np.pi)
        self._offset = rng.uniform(0.0, 0.4)
        self._knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])

    def _travel(self, t: float) -> tuple[float, float, float, float]:
        """Place on the way (metres from its start), metres walked so far, share of full speed in [0, 1],
        and how many times turned about."""
        period = self._walk_s + _TURN_S
        leg, inside = divmod(t + self._offset, period)
        done, share = _eased_walk(inside, self._walk_s, self._length, self._speed)
        turned = float(_ease((inside - self._walk_s) / _TURN_S))
        back = int(leg) % 2 == 1
        return self._length - done if back else done, leg * self._length + done, share, leg + turned

    def at(self, t: float) -> BodyParams:
        """Parameters in world coordinates at ``t`` seconds."""
        figure = Figure(self._body, self._betas)
        s, walked, share, turns = self._travel(t)
        at = np.array([np.interp(s, self._knots, self._way[:, k]) for k in range(2)])
        ahead = np.array([np.interp(s + 0.3, self._knots, self._way[:, k]) for k in range(2)])
        behind = np.array([np.interp(s - 0.3, self._knots, self._way[:, k]) for k in range(2)])
        along = ahead - behind
        heading = float(np.arctan2(along[1], along[0])) - np.pi * turns
        turning = float(np.sin(np.pi * (turns % 1.0)))
        phase = self._phase + 2 * np.pi * (walked / self._stride + turns)  # a turn takes two steps
        self._gait(figure, phase, max(share, 0.30 * turning))
        return standing(figure, at, heading, lean=0.03 * share, roll=0.02 * share * np.sin(phase))

    def _gait(self, figure: Figure, phase: float, share: float) -> None:
        """Legs and arms at a phase of the gait (0: left heel strikes), ``share`` of full swing."""
        for side, p in (("left", phase), ("right", phase + np.pi)):
            sign = 1.0 if side == "left" else -1.0
            swing = np.rad2deg(self._swing) * np.cos(p)
            knee = 5 + share * (10 * _bump(p, 0.7, 0.6) + 54 * _bump(p, 4.35, 0.85))
            figure.turn(f"{side}_hip", x=-share * (swing + 3) - 2, z=2 * sign)
            figure.turn(f"{side}_knee", x=knee)
            figure.turn(f"{side}_ankle", x=share * (16 * _bump(p, 3.5, 0.6) - 6 * _bump(p, 0.0, 0.6)) - 3)
            arm = Rotation.from_euler("x", share * 19 * np.cos(p) + 4, degrees=True)
            hang = Rotation.from_euler("z", -sign * 74, degrees=True)
            figure.pose[JOINT_INDEX[f"{side}_shoulder"]] = (arm * hang).as_rotvec()
            figure.turn(f"{side}_elbow", y=-sign * (18 + share * (10 - 9 * np.cos(p))))
        twist = share * 5 * np.cos(phase)
        figure.turn("spine1", x=2, y=twist * 0.6)
        figure.turn("spine3", x=1, y=twist * 0.8)
        figure.turn("neck", x=4, y=-twist * 0.8)
        figure.fingers(18)


_START_S = 0.9
_TURN_S = 1.5


def _ease(x: float) -> float:
    """0 to 1 with zero slope at both ends."""
    x = float(np.clip(x, 0.0, 1.0))
    return x * x * x * (x * (6 * x - 15) + 10)


def _eased_walk(t: float, seconds: float, length: float, speed: float) -> tuple[float, float]:
    """Distance after ``t`` seconds of walking with a soft start and stop; the share of full speed."""
    n = 240
    grid = np.linspace(0.0, seconds, n)
    pace = np.array([_ease(g / _START_S) * _ease((seconds - g) / _START_S) for g in grid])
    way = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2)])
    return float(np.interp(t, grid, way / way[-1] * length)), float(np.interp(t, grid, pace, right=0.0))


def _bump(phase: float, centre: float, width: float) -> float:
    """A smooth bump once a cycle."""
    gap = (phase - centre + np.pi) % (2 * np.pi) - np.pi
    return float(np.exp(-((gap / width) ** 2)))
