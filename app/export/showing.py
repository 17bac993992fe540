"""Small pictures of what has just been written, for whoever waits."""

from __future__ import annotations

import time

import cv2
import numpy as np

from app.footage.base import Image
from app.pipeline.events import FrameWritten, Listener

_EVERY_S = 0.5
"""So often at most: to look at it, not to watch it."""
_WIDTH, _HEIGHT = 1024, 576
"""A picture fits into this."""


class Showing:
    """Hands on some of the frames that it is given."""

    def __init__(self, stage: str, first: int, listener: Listener) -> None:
        self._stage, self._listener = stage, listener
        self._frame = first
        self._last = -np.inf

    def __call__(self, image: Image) -> None:
        """The next frame (H, W, 3), as it was written."""
        frame, now = self._frame, time.monotonic()
        self._frame += 1
        if now - self._last < _EVERY_S:
            return
        self._last = now
        height, width = image.shape[:2]
        scale = min(_WIDTH / width, _HEIGHT / height, 1.0)
        size = max(1, round(scale * width)), max(1, round(scale * height))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        self._listener(FrameWritten(self._stage, frame, small))
