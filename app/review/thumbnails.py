"""Small pictures of people for the list. They live in memory only and end with the window."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import UnderstudyError
from app.footage import Footage
from app.project.store import VIEW, ProjectStore

U1 = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 96, 128


def crop_person(image: U1, box: npt.NDArray[np.float32]) -> U1:
    """(128, 96, 3) the picture about a box, as high as the person with a little air."""
    h, w = image.shape[:2]
    x0, y0, x1, y1 = (float(v) for v in box)
    tall = max((y1 - y0) * 1.12, (x1 - x0) * 1.12 * HEIGHT / WIDTH, 8.0)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    scale = HEIGHT / tall
    if scale < 0.5:  # average first, or a warp skips most pixels
        size = (max(1, round(w * scale)), max(1, round(h * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        cx, cy, scale = cx * scale, cy * scale, 1.0
    matrix = np.array([[scale, 0.0, WIDTH / 2 - cx * scale], [0.0, scale, HEIGHT / 2 - cy * scale]])
    warped = cv2.warpAffine(
        image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, dtype=np.uint8)


def scaled_into(image: U1, box: tuple[int, int]) -> U1:
    """(h, w, 3) the whole picture scaled down into ``box`` (width, height); a smaller one stays as it is."""
    height, width = image.shape[:2]
    scale = min(box[0] / width, box[1] / height, 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


class Thumbnails:
    """Reads one picture a person on a thread of its own."""

    def __init__(self, store: ProjectStore, footage: Footage, done: Callable[[], None]) -> None:
        self._store = store
        self._footage = footage
        self._done = done
        self._pictures: dict[int, U1] = {}
        self._wanted: list[int] = []
        self._condition = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="thumbnails", daemon=True)
        self._thread.start()

    def get(self, track: int) -> U1 | None:
        """The picture, or None while it is being read."""
        with self._condition:
            found = self._pictures.get(track)
            if found is None and track not in self._wanted and not self._closed:
                self._wanted.append(track)
                self._condition.notify()
            return found

    def forget(self) -> None:
        """People have changed: read all pictures anew."""
        with self._condition:
            self._pictures.clear()

    def close(self) -> None:
        """Stop the thread and forget the pictures."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(timeout=5.0)
        self._pictures.clear()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._wanted and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                track = self._wanted[0]
            try:
                picture = self._read(track)
            except UnderstudyError:
                picture = None  # the list shows its mark instead of a picture
            with self._condition:
                self._wanted.remove(track)
                if picture is None:
                    continue
                self._pictures[track] = picture
            self._done()

    def _read(self, track: int) -> U1 | None:
        rows = self._store.query(
            "SELECT frame FROM observations WHERE view_id = ? AND track_id = ? ORDER BY score DESC LIMIT 1",
            (VIEW, track),
        )
        if not rows:
            return None
        frame = int(rows[0]["frame"])
        person = self._store.person(frame, track)
        return crop_person(self._footage.frame(frame), person.estimate.box) if person is not None else None
