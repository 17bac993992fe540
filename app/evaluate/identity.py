"""What is left of identity: everybody's pictures before and after, as networks see them, by way of covering.

A strong attacker: they know from the original where everybody's eyes and outline are, and cut the covered
picture there. They know people from other moments than those in which they look for them. A person is not
shown together with the room, which would tell who stands where; a way of covering that shows nothing of
anybody tells what outline and place alone give away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.datasets.types import TrueFrame
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from backends.body import BodyModel
from backends.identity import Embedder, face_chip, person_crop
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Visibility
from backends.masks import CropMask
from backends.metrics.pose2d import box_iou

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_FACE = [INDEX[name] for name in ("nose", "left_eye", "right_eye")]
_FACE_SEEN = 0.4
"""Share of a face's front that must be seen."""
_FACE_SCORE = 0.5
_PERSON_SEEN = 0.5
_SAME_PERSON = 0.4
"""Overlap of two boxes from which on they are about the same person."""
_PART = 0.45
"""Of a clip at its beginning shows whom to know, as much at its end whom to look for."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """Somebody in one frame of the original.

    Attributes:
        who: the same in every frame of a clip, and in no other clip.
        face: (3, 2) pixels of nose, left eye, right eye; None where the face is not seen.
        mask: their pixels; None where too little is seen.
        box: (4,) x0 y0 x1 y1.
        height: metres, as they really are; NaN where nobody knows.
    """

    who: str
    face: F8 | None
    mask: CropMask | None
    box: F8
    height: float = float("nan")


def true_sightings(frame: TrueFrame, clip: str, body: BodyModel) -> list[Sighting]:
    """Everybody in a frame with truth."""
    found = []
    for person in frame.people:
        points = next((p for p in person.points_2d if p.layout.joints[:3] == tuple(INDEX)[:3]), None)
        face = None
        if points is not None and (person.face_seen or 0.0) >= _FACE_SEEN:
            face = np.asarray(points.xy[_FACE], np.float64)
        whole = person.mask if (person.seen or 0.0) >= _PERSON_SEEN else None
        if person.box is None:
            continue
        known = person.params is not None and person.body == "free"
        height = body.height(person.params.betas) if known and person.params is not None else float("nan")
        found.append(Sighting(f"{clip}:{person.person_id}", face, whole, person.box, height))
    return found


def tracked_sightings(store: ProjectStore, index: int, clip: str) -> list[Sighting]:
    """Everybody whom the program follows, where there is no truth: tracks stand for people."""
    found = []
    kept = {track.track_id for track in store.tracks()}
    for person in store.people(index):
        if person.track_id not in kept:
            continue
        keypoints = person.estimate.keypoints
        seen = (keypoints.visibility[_FACE] == Visibility.VISIBLE) & (keypoints.score[_FACE] >= _FACE_SCORE)
        face = np.asarray(keypoints.xy[_FACE], np.float64) if seen.all() else None
        box = np.asarray(person.estimate.box, np.float64)
        found.append(Sighting(f"{clip}:{person.track_id}", face, person.estimate.mask, box))
    return found


def moments(n_frames: int, count: int) -> tuple[list[int], list[int]]:
    """Frames to know people from, and frames to look for them in: ``count`` each, none near the other."""
    part = max(int(_PART * n_frames), 1)
    early = np.unique(np.linspace(0, part - 1, min(count, part)).round().astype(int))
    return [int(v) for v in early], [int(n_frames - 1 - v) for v in early[::-1]]


class Lineup:
    """The vectors of everybody, under the name of what was looked at. Pictures are not kept."""

    def __init__(self, embedders: Sequence[Embedder]) -> None:
        self.embedders = tuple(embedders)
        self._vectors: dict[tuple[str, int], dict[str, list[F4]]] = defaultdict(lambda: defaultdict(list))

    def add(self, what: str, picture: U1, people: Iterable[Sighting]) -> None:
        """Take everybody in (H, W, 3) as a picture of them under ``what``."""
        people = list(people)
        for k, embedder in enumerate(self.embedders):
            cut = [(p.who, _cut(embedder, picture, p)) for p in people]
            shown = [(who, image) for who, image in cut if image is not None]
            if shown:
                vectors = embedder.embed([image for _, image in shown])
                for (who, _), vector in zip(shown, vectors):
                    self._vectors[what, k][who].append(vector)

    def of(self, what: str, embedder: int) -> dict[str, F4]:
        """By person, (N, D) of network number ``embedder``."""
        return {who: np.stack(v) for who, v in self._vectors[what, embedder].items()}


def _cut(embedder: Embedder, picture: U1, person: Sighting) -> U1 | None:
    size = embedder.size[0]
    if embedder.subject == "face":
        return None if person.face is None else face_chip(picture, person.face, size)
    if person.mask is None:
        return None
    mask = np.zeros(picture.shape[:2], np.bool_)
    person.mask.paint(mask)
    return person_crop(picture, mask, size)


def heights(
    store: ProjectStore, body: BodyModel, frames: Mapping[int, Sequence[Sighting]]
) -> tuple[dict[str, F4], dict[str, F4]]:
    """By person, metres (N, 1): their true height, and that of the bodies that an export shows for them."""
    true: dict[str, F4] = {}
    shown: dict[str, list[float]] = defaultdict(list)
    for index, people in frames.items():
        fitted = [p for p in store.people(index) if p.body is not None]
        for person in people:
            if not np.isfinite(person.height):
                continue
            true[person.who] = np.array([[person.height]], np.float32)
            nearest = _nearest(person, fitted)
            if nearest is not None and nearest.body is not None:
                shown[person.who].append(body.height(nearest.body.params.betas))
    return true, {who: np.array(v, np.float32)[:, None] for who, v in shown.items()}


def _nearest(person: Sighting, fitted: Sequence[PersonRecord]) -> PersonRecord | None:
    if not fitted:
        return None
    overlap = box_iou(person.box, np.array([f.estimate.box for f in fitted]))[0]
    return fitted[int(overlap.argmax())] if overlap.max() >= _SAME_PERSON else None
