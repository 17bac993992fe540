"""The pinhole camera, in OpenCV's convention (x right, y down, z forward)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def _no_distortion() -> FloatArray:
    return np.zeros(5)


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """One view's camera.

    Attributes:
        K: (3, 3) intrinsics in pixels; (0, 0) is the centre of the top-left pixel.
        width, height: picture size in pixels.
        R, t: ``x_cam = R @ x_world + t``; (3, 3) and (3,), metres.
        dist: (5,) distortion k1 k2 p1 p2 k3, OpenCV's order.
        assumed: True where the focal length is a guess.
        estimated: True where the people seen told it (:func:`backends.fitting.estimate_focal`).
    """

    K: FloatArray
    width: int
    height: int
    R: FloatArray = field(default_factory=lambda: np.eye(3))
    t: FloatArray = field(default_factory=lambda: np.zeros(3))
    dist: FloatArray = field(default_factory=_no_distortion)
    assumed: bool = False
    estimated: bool = False

    @property
    def fx(self) -> float:
        """Focal length along x, pixels."""
        return float(self.K[0, 0])

    @property
    def calibrated(self) -> bool:
        """Whether somebody has measured this camera: focal length and place."""
        return not (self.assumed or self.estimated)

    @property
    def placed(self) -> bool:
        """Whether somebody has measured how this camera stands: the lens may be known without, and no camera
        that films people looks straight up."""
        return self.calibrated and not np.array_equal(self.R, np.eye(3))

    @property
    def fy(self) -> float:
        """Focal length along y, pixels."""
        return float(self.K[1, 1])

    def project(self, points_cam: npt.ArrayLike) -> FloatArray:
        """Project points in camera coordinates, without distortion.

        Args:
            points_cam: (..., 3) metres, camera coordinates.

        Returns:
            (..., 2) pixels. Points at or behind the camera (z <= 1e-6) give NaN.
        """
        p = np.asarray(points_cam, dtype=np.float64)
        z = np.where(p[..., 2] > 1e-6, p[..., 2], np.nan)
        x = self.K[0, 0] * p[..., 0] / z + self.K[0, 1] * p[..., 1] / z + self.K[0, 2]
        y = self.K[1, 1] * p[..., 1] / z + self.K[1, 2]
        return np.stack([x, y], axis=-1)


def assumed_camera(width: int, height: int) -> Camera:
    """A camera for footage that says nothing: focal length ``1.2 * max(H, W)``, centred."""
    f = 1.2 * max(width, height)
    K = np.array([[f, 0.0, (width - 1) / 2], [0.0, f, (height - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(K=K, width=width, height=height, assumed=True)
