"""Faces that the bodies show, and how much of every true head the export would cover."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.datasets.types import TruePerson
from app.evaluate.cover import hidden
from app.evaluate.recording import Recording
from app.evaluate.samples import HeadTrack, Samples
from app.export.frames import FrameCoverer
from app.project.store import ProjectStore
from app.review.types import DeidSettings
from backends.background import Plate, StillRoom
from backends.body import BodyModel
from backends.camera import Camera
from backends.masks import CropMask
from backends.metrics.faces import head_coverage

F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_LEAST_PIXELS = 12
"""Of a head; fewer show nobody."""


def found_face(body: BodyModel, vertices: F8, camera: Camera) -> F8 | None:
    """(4,) the box of a body's face in the picture, or None where it is turned away or out of view."""
    face, head = vertices[body.face_vertices], vertices[body.head_vertices]
    middle = face.mean(axis=0)
    if (middle - head.mean(axis=0)) @ middle >= 0:
        return None
    xy = camera.project(face)
    if not np.isfinite(xy).all():
        return None
    edge = np.array([camera.width - 1.0, camera.height - 1.0])
    low, high = np.clip(xy.min(axis=0), 0, edge), np.clip(xy.max(axis=0), 0, edge)
    return np.concatenate([low, high]) if (high > low).all() else None


class CoverageProbe:
    """What the export covers with the project's own settings.

    Where the empty room is shown, much of that follows from the pictures: whatever stands before the room is
    covered, found or not. Without the footage an empty picture is covered instead, and that part is missing.

    Args:
        moving: the camera moves, so that the export has no one empty room.
        true_room: (H, W, 3) the room without people, where the truth has it. A head that is replaced by
            itself, because it came into the export's room, is not hidden; one of the wall's colour is.
    """

    def __init__(
        self, store: ProjectStore, body: BodyModel, camera: Camera, settings: DeidSettings,
        recording: Recording, *, moving: bool, true_room: U1 | None = None,
    ) -> None:  # fmt: skip
        size = (camera.height, camera.width)
        self._blank = np.zeros((*size, 3), np.uint8)
        room: StillRoom | Plate | None = None
        still = not moving
        self._footage = recording.footage() if still else None
        if self._footage is not None and (self._footage.height, self._footage.width) == size:
            room = recording.room()
        else:
            self._footage = None
        if room is None or not room.steady:
            room = Plate(self._blank, np.ones(size, np.bool_), 1.0, 0.0 if moving else 1.0)
            self._footage = None
        self._true_room = true_room if true_room is not None and true_room.shape[:2] == size else None
        self._coverer = FrameCoverer(store, body, camera, settings, room)
        self.blind = still and self._footage is None

    def _covered(self, frame: int) -> Bools:
        """(H, W) where nobody can be seen any more."""
        picture = self._blank if self._footage is None else self._footage.frame(frame)
        shown, mask = self._coverer.cover_with_mask(frame, picture)
        if self._footage is None:
            return mask
        return hidden(picture, shown, mask, self._true_room)

    def add(self, frame: int, place: int, n: int, people: list[TruePerson], samples: Samples) -> None:
        """Measure one frame: place ``place`` of ``n`` that are compared."""
        heads = [p for p in people if p.head_box is not None]
        whole = [p for p in people if p.mask is not None]
        if not heads and not whole:
            return
        covered = self._covered(frame)
        for person in whole:
            seen, place_of = _pixels(person.mask, covered.shape)
            if seen.any():
                samples.persons.append(float(covered[place_of][seen].mean()))
        for person in heads:
            track = samples.heads.setdefault(person.person_id, HeadTrack(np.full(n, np.nan), np.zeros(n)))
            seen_head, share = _head(person, covered)
            samples.head_masks += person.head_mask is not None
            track.seen[place] = seen_head
            if seen_head:
                track.covered[place] = share


def _pixels(mask: CropMask | None, shape: tuple[int, ...]) -> tuple[Bools, tuple[slice, slice]]:
    """Seen pixels in their part of the picture, and which part that is."""
    if mask is None:
        return np.zeros((0, 0), np.bool_), (slice(0), slice(0))
    part = (
        slice(mask.y0, min(mask.y0 + mask.height, shape[0])),
        slice(mask.x0, min(mask.x0 + mask.width, shape[1])),
    )
    pixels = mask.decode()[: max(part[0].stop - mask.y0, 0), : max(part[1].stop - mask.x0, 0)]
    return pixels, part


def _head(person: TruePerson, covered: Bools) -> tuple[bool, float]:
    """Whether the head is seen, and how much of it is covered: of its own pixels, else of the person's
    pixels within its box, or of the box where the truth has no mask."""
    if person.head_mask is not None:
        head, part = _pixels(person.head_mask, covered.shape)
        return _share(head, covered[part])
    box = np.asarray(person.head_box, np.float64)
    if person.mask is None:
        shown = person.face_seen if person.face_seen is not None else person.seen
        return shown is None or shown > 0, head_coverage(box, covered)
    pixels, part = _pixels(person.mask, covered.shape)
    head = np.zeros_like(pixels)
    x0, y0 = (max(int(np.ceil(v)) - s.start, 0) for v, s in zip(box[:2], part[::-1]))
    x1, y1 = (max(int(np.floor(v)) + 1 - s.start, 0) for v, s in zip(box[2:], part[::-1]))
    head[y0:y1, x0:x1] = pixels[y0:y1, x0:x1]
    return _share(head, covered[part])


def _share(head: Bools, covered: Bools) -> tuple[bool, float]:
    if int(head.sum()) < _LEAST_PIXELS:
        return False, float("nan")
    return True, head_coverage(head, covered)
