"""Depth of a camera of its own, brought into the picture of the colour camera beside it."""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import pack_camera
from backends.fitting.terms import NEAR_M, project

F4 = npt.NDArray[np.float32]
Array = Any

_FINEST = 1.0
"""Pixels of the result a pixel of the sensor: finer, and the background shows through the gaps."""


class Registration:
    """Takes pictures of depth from one calibrated camera to another (OpenCV's model, as in rgbd's
    registerDepth): each reading becomes a point, which is seen by the other camera; the nearest wins."""

    def __init__(self, colour: Camera, depth: Camera) -> None:
        """
        Raises:
            InputError: cameras whose sizes or calibrations make no sense.
        """
        if min(depth.width, depth.height, colour.width, colour.height) < 1:
            raise InputError("Registering depth needs the sizes of both cameras' pictures.")
        pack_camera(depth)
        rows, columns = np.mgrid[0 : depth.height, 0 : depth.width].astype(np.float64)
        pixels = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2)
        flat = cv2.undistortPoints(pixels, depth.K, depth.dist).reshape(depth.height, depth.width, 2)
        self._rays = np.ascontiguousarray(flat)
        self._turn = colour.R @ depth.R.T
        self._shift = colour.t - self._turn @ depth.t
        self._colour = pack_camera(colour, own_axes=True)
        coarse = max(1.0, _FINEST * colour.fx / depth.fx)
        self._size = (max(1, round(colour.height / coarse)), max(1, round(colour.width / coarse)))
        self._step = (colour.height / self._size[0], colour.width / self._size[1])

    def to_colour(self, depth_m: F4) -> F4:
        """(h, w) metres along the colour camera's axis, 0 where nothing is seen: a picture of the colour
        camera's view, as fine as the sensor's.

        Raises:
            InputError: another size than the depth camera's.
        """
        if depth_m.shape != self._rays.shape[:2]:
            raise InputError(f"The depth camera has pictures of {self._rays.shape[:2]}, not {depth_m.shape}.")
        out = np.zeros(self._size, np.float32)
        _splat(depth_m, self._rays, self._turn, self._shift, self._colour, *self._step, out)
        return out


@numba.njit(cache=True, nogil=True)
def _splat(
    depth: Array, rays: Array, turn: Array, shift: Array, camera: Array, down: float, across: float,
    out: Array,
) -> None:  # fmt: skip
    X, J = np.empty(3), np.empty((2, 3))
    for y in range(depth.shape[0]):
        for x in range(depth.shape[1]):
            z = float(depth[y, x])
            if not z > 0.0:
                continue
            for r in range(3):
                X[r] = z * (turn[r, 0] * rays[y, x, 0] + turn[r, 1] * rays[y, x, 1] + turn[r, 2]) + shift[r]
            if X[2] < NEAR_M:
                continue
            u, v, far = project(camera, X, J)
            column, row = int(np.floor((u + 0.5) / across)), int(np.floor((v + 0.5) / down))
            inside = 0 <= row < out.shape[0] and 0 <= column < out.shape[1]
            if inside and (out[row, column] == 0.0 or far < out[row, column]):
                out[row, column] = far
