"""Coloured point clouds from depth pictures, as binary PLY."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backends.synthetic.types import CameraFrame

CLOUD_POINTS = 200_000
"""About as many points a cloud has; four cameras of 1280 x 720 see 3.7 million, 55 MB a frame."""

_POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")])


def fused_cloud(views: Sequence[CameraFrame], points: int = CLOUD_POINTS) -> npt.NDArray[np.void]:
    """What all cameras see at one moment, in world coordinates.

    Args:
        points: about how many points to keep: every n-th pixel of each row and column.

    Returns:
        (N,) of x, y, z (float32 metres, world) and red, green, blue (uint8), from the sensor's depth;
        its holes are left out.
    """
    total = sum(view.depth_mm.size for view in views)
    step = max(1, round((total / points) ** 0.5))
    return np.concatenate([_of_view(view, step) for view in views])


def _of_view(view: CameraFrame, step: int) -> npt.NDArray[np.void]:
    camera = view.camera
    depth = view.depth_mm[::step, ::step]
    row, column = np.nonzero(depth)
    z = depth[row, column] / 1000.0
    v = (row * step - camera.K[1, 2]) / camera.K[1, 1]
    u = (column * step - camera.K[0, 2] - camera.K[0, 1] * v) / camera.K[0, 0]
    colour = view.image[::step, ::step][row, column]
    cloud = np.empty(len(z), _POINT)
    centre = -camera.R.T @ camera.t
    # By components: three times as fast as a product with a 3 x 3 matrix.
    for k, axis in enumerate(("x", "y", "z")):
        cloud[axis] = (camera.R[0, k] * u + camera.R[1, k] * v + camera.R[2, k]) * z + centre[k]
    for k, channel in enumerate(("red", "green", "blue")):
        cloud[channel] = colour[:, k]
    return cloud


def write_ply(path: Path, cloud: npt.NDArray[np.void]) -> None:
    """Write a cloud of :func:`fused_cloud` as binary little-endian PLY."""
    kinds = {"x": "float", "y": "float", "z": "float", "red": "uchar", "green": "uchar", "blue": "uchar"}
    lines = ["ply", "format binary_little_endian 1.0", "comment metres, world, z up"]
    lines += [f"element vertex {len(cloud)}", *(f"property {kind} {name}" for name, kind in kinds.items())]
    path.write_bytes(("\n".join([*lines, "end_header"]) + "\n").encode("ascii") + cloud.tobytes())
