"""Where things land on the screen: zoom and pan over the picture, and a free orbit in the room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.review.types import CameraView

F8 = npt.NDArray[np.float64]

_NEAR, _FAR = 0.05, 200.0
_MIN_ZOOM, _MAX_ZOOM = 1.0, 40.0


@dataclass
class PictureView:
    """Zoom and pan: ``screen = scale * (pixel + 0.5) + offset``, logical screen pixels from the top left."""

    picture: tuple[int, int] = (1, 1)
    screen: tuple[int, int] = (1, 1)
    zoom: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    """The point of the picture (as shares of its size) in the middle of the screen."""

    @property
    def scale(self) -> float:
        """Screen pixels a picture pixel."""
        fit = min(self.screen[0] / self.picture[0], self.screen[1] / self.picture[1])
        return max(fit, 1e-6) * self.zoom

    @property
    def offset(self) -> tuple[float, float]:
        """Screen position of the picture's top left corner."""
        s = self.scale
        return (
            self.screen[0] / 2 - s * self.centre[0] * self.picture[0],
            self.screen[1] / 2 - s * self.centre[1] * self.picture[1],
        )

    def to_screen(self, xy: npt.ArrayLike) -> F8:
        """(..., 2) screen positions of picture pixels."""
        return np.asarray((np.asarray(xy, np.float64) + 0.5) * self.scale + np.array(self.offset))

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Picture pixel under a screen position."""
        ox, oy = self.offset
        return (x - ox) / self.scale - 0.5, (y - oy) / self.scale - 0.5

    def fit(self) -> None:
        """Show the whole picture."""
        self.zoom, self.centre = 1.0, (0.5, 0.5)

    def zoom_at(self, factor: float, x: float, y: float) -> None:
        """Zoom so that what is under (x, y) stays there."""
        px, py = self.to_picture(x, y)
        self.zoom = min(max(self.zoom * factor, _MIN_ZOOM), _MAX_ZOOM)
        if self.zoom == _MIN_ZOOM:
            self.fit()
            return
        qx, qy = self.to_picture(x, y)
        self._shift(px - qx, py - qy)

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by screen pixels."""
        self._shift(-dx / self.scale, -dy / self.scale)

    def _shift(self, px: float, py: float) -> None:
        x = self.centre[0] + px / self.picture[0]
        y = self.centre[1] + py / self.picture[1]
        self.centre = (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))

    def picture_matrix(self) -> npt.NDArray[np.float32]:
        """(4, 4) from (u, v, 0, 1) in [0, 1] over the picture to clip space, for row vectors."""
        (w, h), (sw, sh), (ox, oy) = self.picture, self.screen, self.offset
        s = self.scale
        m = np.zeros((4, 4))
        m[0, 0], m[3, 0] = 2 * s * w / sw, 2 * ox / sw - 1
        m[1, 1], m[3, 1] = -2 * s * h / sh, 1 - 2 * oy / sh
        m[2, 2] = m[3, 3] = 1.0
        return m.astype(np.float32)

    def camera_matrix(self, camera: CameraView) -> npt.NDArray[np.float32]:
        """(4, 4) from camera coordinates to clip space, for row vectors: what the rasterizer would draw."""
        (sw, sh), (ox, oy), s, K = self.screen, self.offset, self.scale, camera.K
        m = np.zeros((4, 4))  # columns of the usual matrix are rows here
        m[0, 0] = 2 * s * K[0, 0] / sw
        m[1, 0] = 2 * s * K[0, 1] / sw
        m[2, 0] = 2 * (s * (K[0, 2] + 0.5) + ox) / sw - 1
        m[1, 1] = -2 * s * K[1, 1] / sh
        m[2, 1] = 1 - 2 * (s * (K[1, 2] + 0.5) + oy) / sh
        m[2, 2] = (_FAR + _NEAR) / (_FAR - _NEAR)
        m[3, 2] = -2 * _FAR * _NEAR / (_FAR - _NEAR)
        m[2, 3] = 1.0
        return m.astype(np.float32)


@dataclass
class Orbit:
    """A camera that goes round a point of the room (z up, metres)."""

    target: tuple[float, float, float] = (0.0, 3.0, 0.0)
    azimuth: float = -0.6
    elevation: float = 0.35
    distance: float = 5.0

    def turn(self, dx: float, dy: float) -> None:
        """Turn by a drag of screen pixels."""
        self.azimuth -= dx * 0.008
        self.elevation = min(max(self.elevation + dy * 0.008, -0.2), 1.5)

    def dolly(self, factor: float) -> None:
        """Go nearer or farther."""
        self.distance = min(max(self.distance / factor, 0.6), 80.0)

    def pan(self, dx: float, dy: float) -> None:
        """Move the point that is gone round, by a drag of screen pixels."""
        step = self.distance * 0.0016
        right, up, _ = self._axes()
        x, y, z = np.array(self.target) - right * dx * step + up * dy * step
        self.target = (float(x), float(y), float(z))

    @property
    def eye(self) -> F8:
        """Where the camera stands."""
        return np.array(self.target) - self._axes()[2] * self.distance

    def axes(self) -> F8:
        """(3, 3) columns: this camera's x right, y down and z away, in the room."""
        right, up, forward = self._axes()
        return np.stack([right, -up, forward], axis=1)

    def _axes(self) -> tuple[F8, F8, F8]:
        ce, se = np.cos(self.elevation), np.sin(self.elevation)
        forward = np.array([np.sin(self.azimuth) * ce, np.cos(self.azimuth) * ce, -se])
        right = np.array([np.cos(self.azimuth), -np.sin(self.azimuth), 0.0])
        return right, np.cross(right, forward), forward

    def matrix(self, screen: tuple[int, int]) -> npt.NDArray[np.float32]:
        """(4, 4) from the room to clip space, for row vectors."""
        right, up, forward = self._axes()
        view = np.eye(4)
        view[:3, 0], view[:3, 1], view[:3, 2] = right, up, forward
        view[3, :3] = [-self.eye @ right, -self.eye @ up, -self.eye @ forward]
        f = 1.5
        m = np.zeros((4, 4))
        m[0, 0] = f * screen[1] / max(screen[0], 1)
        m[1, 1] = f
        m[2, 2] = (_FAR + _NEAR) / (_FAR - _NEAR)
        m[3, 2] = -2 * _FAR * _NEAR / (_FAR - _NEAR)
        m[2, 3] = 1.0
        return (view @ m).astype(np.float32)
