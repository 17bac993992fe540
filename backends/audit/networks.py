"""The audit's networks, each question answered in one of a few threads while the next ones are asked."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from backends.detection.blazepose import PersonDetector
from backends.detection.faces import CenterFace, Face, FullRangeFace
from backends.detection.tiles import Tile
from backends.detection.types import Region

U1 = npt.NDArray[np.uint8]
T = TypeVar("T")

FACE_SCORE = 0.35
"""CenterFace at full size on 45 rendered pictures: every face of 24 pixels and more is at 0.4 or above, and
nothing else is above 0.2; the rim of a mesh is at 0.33 now and then."""

SURE_SCORE = 0.65
CONFIRMED = 0.2
"""Below the former the second network has to see a face too, at the latter, at which it sees all that there
are."""

TURNED_SCORE, TURNED_CONFIRMED = 0.45, 0.4
"""Turned by a quarter, collars are taken for faces at up to 0.8: the second network has to agree."""

_LEAST_CONFIRMED = 24
"""Pixels; of smaller faces in the middle of a cover the second network sees too few."""

_LOOK, _LEAST_LOOK = 2.0, 32.0
"""How far around a face the second network looks, in sizes of the face to each side, and pixels at least."""

SECOND_SCORE = 0.75
"""BlazeFace alone takes a lamp for a face at 0.5; below this it only confirms."""

PERSON_SCORE = 0.85
"""Bodies in the open are at 0.95 and above, trees at 0.8."""

AGAIN_SCORE = 0.45
"""In squares that lie a little beside: 340 real people were at 0.5 and above in at least two of four; a lamp
post with a tripod, at 0.9 in one square, is at 0.3."""

THREADS = 2
"""Each network computes in the thread that asks it: two of them fill two cores better than two threads
inside of one network, most of whose layers are too small to share."""


_LARGE = 1_000_000
"""Pixels; a picture of so many takes 200 MB in CenterFace, so that larger ones go through it one by one."""


class _Shelf(Generic[T]):
    """Copies of a network that threads may not share: each is lent to one thread at a time."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._free: queue.SimpleQueue[T] = queue.SimpleQueue()
        for _ in range(THREADS):
            self._free.put(make())

    @contextlib.contextmanager
    def one(self) -> Iterator[T]:
        network = self._free.get()
        try:
            yield network
        finally:
            self._free.put(network)


class Networks:
    """CenterFace, a second face network that confirms it, and a detector of people.

    Pictures are (H, W, 3) uint8 RGB and must not change until the answer is there.

    Args:
        centerface, full_range, people: files; without the second nothing is confirmed, without the third
            nobody is found.

    Raises:
        WeightsError: one is missing or damaged.
    """

    def __init__(self, centerface: Path, full_range: Path | None, people: Path | None) -> None:
        self._faces = CenterFace(centerface)
        self._second = _Shelf(lambda: FullRangeFace(full_range, threads=1)) if full_range else None
        self._people = _Shelf(lambda: PersonDetector(people, threads=1)) if people else None
        self._threads = ThreadPoolExecutor(THREADS, "audit")
        self._large = threading.Lock()

    def close(self) -> None:
        """Answer nothing more, and end the threads."""
        self._threads.shutdown(cancel_futures=True)

    def upright(self, image: U1, scale: float) -> Future[list[Face]]:
        """Faces at one scale that are sure or confirmed."""
        return self._threads.submit(self._upright, image, scale)

    def turned(self, image: U1) -> Future[list[Face]]:
        """Faces of people who lie, or whose head is bent far aside: a quarter turn to each side."""
        return self._threads.submit(self._turned, image)

    def surely(self, image: U1) -> Future[list[Face]]:
        """Faces of which the second network is sure by itself."""
        return self._threads.submit(self._surely, image)

    def people(self, image: U1, tile: Tile, score: float = PERSON_SCORE) -> Future[list[Region]]:
        """People in one square of a picture, not yet freed of doubles."""
        return self._threads.submit(self._people_in, image, tile, score)

    def _upright(self, image: U1, scale: float) -> list[Face]:
        image = np.ascontiguousarray(image)
        large = image.shape[0] * image.shape[1] * scale * scale > _LARGE
        with self._large if large else contextlib.nullcontext():
            found = self._faces.detect(image, FACE_SCORE, scale)
        return [
            f for f in found
            if f.score >= SURE_SCORE or self._is_confirmed(image, f, CONFIRMED)
        ]  # fmt: skip

    def _turned(self, image: U1) -> list[Face]:
        h, w = image.shape[:2]
        found: list[Face] = []
        for code, back in (
            (cv2.ROTATE_90_CLOCKWISE, lambda x, y: (y, h - x)),
            (cv2.ROTATE_90_COUNTERCLOCKWISE, lambda x, y: (w - y, x)),
        ):
            turned = np.ascontiguousarray(cv2.rotate(image, code))
            for face in self._faces.detect(turned, TURNED_SCORE):
                if not self._is_confirmed(turned, face, TURNED_CONFIRMED):
                    continue
                (ax, ay), (bx, by) = back(*face.box[:2]), back(*face.box[2:])
                box = np.array([min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)], np.float32)
                found.append(Face(box, face.score))
        return found

    def _is_confirmed(self, image: U1, face: Face, threshold: float) -> bool:
        """Whether the second network sees a face there too, where it is asked to look."""
        size = float((face.box[2:] - face.box[:2]).max())
        if self._second is None or size < _LEAST_CONFIRMED:
            return True
        x, y = (face.box[:2] + face.box[2:]) / 2
        reach = max(_LOOK * size, _LEAST_LOOK)
        h, w = image.shape[:2]
        x0, y0 = max(0, int(x - reach)), max(0, int(y - reach))
        x1, y1 = min(w, int(x + reach) + 1), min(h, int(y + reach) + 1)
        crop = np.ascontiguousarray(image[y0:y1, x0:x1])
        if min(crop.shape[:2]) < 8:
            return True
        here = Face(face.box - np.array([x0, y0, x0, y0], np.float32), face.score)
        with self._second.one() as second:
            return any(is_same(f, here) for f in second.detect(crop, threshold, (1.0,)))

    def _surely(self, image: U1) -> list[Face]:
        if self._second is None:
            return []
        with self._second.one() as second:
            return second.detect(image, SECOND_SCORE)

    def _people_in(self, image: U1, tile: Tile, score: float) -> list[Region]:
        if self._people is None:
            return []
        with self._people.one() as people:
            return people.detect(image, tile, score)


def is_same(a: Face, b: Face) -> bool:
    """Whether the middle of one face lies in the other."""
    return _holds(a, b) or _holds(b, a)


def _holds(a: Face, b: Face) -> bool:
    middle = (b.box[:2] + b.box[2:]) / 2
    return bool((a.box[:2] <= middle).all() and (middle <= a.box[2:]).all())
