"""Things that move: what hands hold, and a card that slides before the camera for experiments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import forward_kinematics, shaped_joints
from backends.body.skeleton import JOINT_INDEX
from backends.camera import Camera
from backends.errors import InputError
from backends.render import Mesh
from backends.synthetic.lighting import in_camera
from backends.synthetic.motion.types import Hold
from backends.synthetic.shapes import F8, Color, Solid, box, joined, rod

_METAL: Color = (196, 202, 208)


def _instrument(kind: str) -> Solid:
    """In the hand's own axes: origin in the palm, z along the fingers, y out of the palm, metres."""
    if kind == "clipboard":
        board = joined([box((0, 0.012, 0.06), (0.22, 0.006, 0.30), (120, 90, 66))])
        sheet = box((0, 0.008, 0.05), (0.20, 0.003, 0.26), (240, 240, 234))
        return joined([board, sheet, box((0, 0.008, 0.19), (0.09, 0.012, 0.03), _METAL)])
    if kind == "phone":
        return joined([box((0, 0.01, 0.02), (0.07, 0.009, 0.145), (30, 32, 36)),
                       box((0, 0.005, 0.02), (0.062, 0.002, 0.13), (70, 90, 120))])  # fmt: skip
    reach = {"scalpel": 0.11, "forceps": 0.14, "scissors": 0.15}[kind]
    parts = [rod((0, -0.03, -0.02), (0, -0.01, reach), 0.004, _METAL)]
    if kind != "scalpel":
        parts.append(rod((0.014, -0.03, -0.02), (0.0, -0.01, reach), 0.004, _METAL))
        parts.append(rod((-0.012, -0.03, -0.03), (0.02, -0.03, -0.03), 0.006, _METAL))
    else:
        parts.append(box((0, -0.01, reach + 0.015), (0.002, 0.012, 0.04), (226, 230, 232)))
    return joined(parts)


def held(body: BodyModel, params: BodyParams, holds: tuple[Hold, ...]) -> list[tuple[F8, Solid]]:
    """World vertices and solids of what a person holds; ``params`` in world coordinates."""
    found = []
    for hold in holds:
        solid = _instrument(hold.kind)
        J = shaped_joints(body, params.betas)
        G, P, _ = forward_kinematics(J, body.parents, params.pose, params.transl)
        wrist, knuckle = JOINT_INDEX[f"{hold.hand}_wrist"], JOINT_INDEX[f"{hold.hand}_middle1"]
        sign = 1.0 if hold.hand == "left" else -1.0
        # Rest pose: the arm lies along x, palms down: fingers (sign, 0, 0), out of the palm (0, -1, 0).
        axes = np.stack([[0.0, 0.0, -sign], [0.0, -1.0, 0.0], [sign, 0.0, 0.0]], axis=1)
        palm = (P[wrist] + 2 * P[knuckle]) / 3
        found.append((solid.vertices @ (G[wrist] @ axes).T + palm, solid))
    return found


@dataclass(frozen=True, slots=True)
class Occluder:
    """A card that slides to and fro before the first camera, for experiments on what hiding does.

    Attributes:
        width, height: its size as a share of the picture's height.
        period_s: seconds for one way there and back.
        distance: metres before the camera.
        color: sRGB.
    """

    width: float = 0.25
    height: float = 1.1
    period_s: float = 8.0
    distance: float = 1.2
    color: Color = (96, 100, 104)

    def __post_init__(self) -> None:
        if not (0 < self.width <= 4 and 0 < self.height <= 4 and self.period_s > 0 and self.distance > 0.1):
            raise InputError("an occluder needs a width, a height, a period and a distance above zero")

    def world_mesh(self, time: float, camera: Camera) -> Solid:
        """The card at a time, in world coordinates."""
        share = 0.5 - 0.5 * np.cos(2 * np.pi * time / self.period_s)
        z = self.distance
        h = camera.height / camera.fy * z
        half = camera.width / camera.fx * z / 2 + self.width * h / 2
        x = -half + 2 * half * share
        flat = box((x, 0, z), (self.width * h, self.height * h, 0.004), self.color)
        world = (flat.vertices - camera.t) @ camera.R
        return Solid(world, flat.faces, flat.normals @ camera.R, flat.colors)


def drawn(vertices: F8, solid: Solid, camera: Camera) -> Mesh:
    """A prop for the rasterizer, in camera coordinates."""
    return Mesh(in_camera(camera, vertices), solid.faces, solid.colors, smooth=False)
