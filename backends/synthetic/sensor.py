"""What a real camera does to a picture: motion blur, drifting exposure, vignetting, noise; noise in depth."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.synthetic.kernels import grain, sense_depth, smear

U1 = npt.NDArray[np.uint8]
U2 = npt.NDArray[np.uint16]
F4 = npt.NDArray[np.float32]

_NOISE = 1.7
_SHUTTER_S = 1 / 110
_SWING_S = 2.0
_FAR_M = 7.0
"""How far the depth sensor sees, metres (time of flight, wide field of view)."""


class Sensor:
    """One camera's electronics, from a seed: the same frames give the same noise.

    ``swing``: the share by which the light rises and falls within two seconds, beside the slow drift.
    """

    def __init__(self, width: int, height: int, seed: int, swing: float = 0.0) -> None:
        if not 0.0 <= swing <= 0.5:
            raise InputError(f"the light can swing by 0 to 0.5 of itself, not by {swing:g}")
        rng = np.random.default_rng([seed, 5])
        self._seed, self._swing = seed, swing
        self._noise = rng.standard_normal(1 << 20).astype(np.float32)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        r2 = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / (width * width / 4 + height * height / 4)
        balance = 1 + 0.018 * rng.standard_normal(3)
        self._fall = ((1 - 0.10 * r2)[..., None] * balance).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, 2)

    def expose(self, image: U1, flow: F4 | None, index: int, time: float, fps: float) -> U1:
        """The picture as the camera gives it.

        Args:
            image: (H, W, 3) uint8 RGB, sharp.
            flow: (H, W, 2) pixels a frame, or None where nothing moves.
        """
        if flow is not None:
            out = np.empty_like(image)
            smear(image, flow, _SHUTTER_S * fps, out)
            image = out
        seen = self.lit(image, time)
        grain(seen, self._noise, self._shift(index, 0), _NOISE)
        return seen

    def lit(self, image: U1, time: float) -> U1:
        """(H, W, 3) uint8 ``image`` through the lens in the light of ``time`` seconds: no noise, no blur."""
        gain = 1 + 0.02 * np.sin(0.41 * time + self._phase[0]) + 0.012 * np.sin(1.7 * time + self._phase[1])
        gain *= 1 + self._swing * np.sin(2 * np.pi * time / _SWING_S)
        return np.asarray(cv2.multiply(image, self._fall * np.float32(gain), dtype=cv2.CV_8U), dtype=np.uint8)

    def still(self, image: U1) -> U1:
        """(H, W, 3) uint8 ``image`` through the lens alone: no drift of the light, no noise, no blur."""
        return np.asarray(cv2.multiply(image, self._fall, dtype=cv2.CV_8U), dtype=np.uint8)

    def depth(self, depth: F4, index: int) -> U2:
        """(H, W) uint16 millimetres of exact depth (H, W) metres."""
        out = np.empty(depth.shape, np.uint16)
        sense_depth(depth, self._noise, self._shift(index, 1), _FAR_M, out)
        return out

    def _shift(self, index: int, which: int) -> int:
        return int(np.random.default_rng([self._seed, index, which]).integers(len(self._noise)))


def spread_flow(flow: F4, inside: npt.NDArray[np.bool_]) -> F4:
    """Carries the flow of moving things a few pixels past their outline, fading: blur crosses edges."""
    weight = inside.astype(np.float32)
    size = (5, 5)
    total = cv2.blur(weight, size)
    mean = cv2.blur(flow * weight[..., None], size) / np.maximum(total, 1e-3)[..., None]
    out: F4 = np.where(inside[..., None], flow, mean * np.minimum(3 * total, 1)[..., None])
    return out
