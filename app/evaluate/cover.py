"""Every true head of a clip against what the export shows: covered, and not by the person themselves.

A pixel that was replaced hides nobody where the replacement shows the same person again, because they came
into the empty room. So a head's pixel counts as hidden only where it was replaced and either looks different
now or is what the true empty room looks like, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from app.datasets.types import TrueFrame, TruePerson
from backends.metrics.faces import COVERED

U1 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

LEAST_PIXELS = 12
"""Of a head; fewer show nobody."""
_TURNED = 0.5
"""Share of a face from which on it is turned to the camera."""
_SAME = 4
_AROUND = 7
"""Levels by which a still shown face changes at most, by compression and light, over so many pixels."""
_STANDS_OUT = 25
"""Levels from which on somebody differs from the room."""


@dataclass
class HeadScore:
    """The heads of a clip.

    Attributes:
        faces: look at the faces that are turned to the camera only, for covers that leave the rest of a head.
        shares: hidden share of every head that was seen, over people and frames.
        leaks: by person, the frames in which less than nine tenths of their head was hidden.
        people: everybody whose head was ever seen.
        nobody: of every frame, the share of the picture that was replaced and is nobody.
    """

    faces: bool = False
    shares: list[float] = field(default_factory=list)
    leaks: dict[int, list[int]] = field(default_factory=dict)
    people: set[int] = field(default_factory=set)
    nobody: list[float] = field(default_factory=list)

    def add(self, frame: TrueFrame, original: U1, covered: U1, replaced: Bools, room: U1 | None) -> None:
        """Look at the next frame.

        Args:
            room: (H, W, 3) the true empty room, where it is known and the export shows a room of its own.
        """
        gone = replaced if room is None else hidden(original, covered, replaced, room)
        somebody = np.zeros(replaced.shape, np.bool_)
        for person in frame.people:
            if person.mask is not None:
                person.mask.paint(somebody)
            if person.head_mask is None:
                continue
            head = np.zeros(replaced.shape, np.bool_)
            person.head_mask.paint(head)
            if self.faces:
                _leave_face(head, person)
            if int(head.sum()) < LEAST_PIXELS:
                continue
            share = float(gone[head].mean())
            self.shares.append(share)
            self.people.add(person.person_id)
            if share < COVERED:
                self.leaks.setdefault(person.person_id, []).append(frame.index)
        self.nobody.append(float(np.count_nonzero(replaced & ~somebody)) / somebody.size)

    @property
    def coverage(self) -> float:
        """Mean hidden share of the heads; NaN without any."""
        return float(np.mean(self.shares)) if self.shares else float("nan")

    @property
    def whole(self) -> float:
        """Share of people of whom no frame leaks; NaN without any."""
        return 1 - len(self.leaks) / len(self.people) if self.people else float("nan")

    @property
    def leaking(self) -> int:
        """Heads, over people and frames, that leak."""
        return sum(len(frames) for frames in self.leaks.values())


def _leave_face(head: Bools, person: TruePerson) -> None:
    """Of a head (H, W) only the face, where it is turned to the camera."""
    if person.face_box is None or (person.face_seen or 0.0) < _TURNED:
        head[:] = False
        return
    x0, y0, x1, y1 = np.round(person.face_box).astype(int)
    face = np.zeros_like(head)
    face[max(y0, 0) : max(y1, 0) + 1, max(x0, 0) : max(x1, 0) + 1] = True
    head &= face


def hidden(original: U1, covered: U1, replaced: Bools, room: U1 | None) -> Bools:
    """(H, W) where nobody can be seen any more who was there: pixels that were replaced and, with what is
    around them, look different now, or look as the room (H, W, 3) does anyway (where it is known).

    One pixel may have a body's colour by chance; a face that is still there is alike all over.
    """
    change = np.asarray(cv2.blur(cv2.absdiff(original, covered), (_AROUND, _AROUND))).max(axis=2)
    same = change <= _SAME
    if room is not None:
        same &= cv2.absdiff(original, room).max(axis=2) >= _STANDS_OUT
    return np.asarray(replaced & ~same)
