"""Searches one picture after another for faces and people that no cover hides.

Every picture is searched wherever it shows what no search has seen before (:mod:`backends.audit.changes`),
at full size and, where the place is large, at smaller scales and turned; and from corner to corner by all
networks every now and then. What was found stays found while its place does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backends.audit.blocks import around, share_in
from backends.audit.changes import ChangeMemory, Place
from backends.audit.drawn import beside, is_same_person, without_cover
from backends.audit.networks import AGAIN_SCORE, Networks, is_same
from backends.audit.standing import Standing, blocks_of
from backends.audit.types import Finding
from backends.detection.faces import Face
from backends.detection.tiles import Tile, make_tiles
from backends.detection.types import Region, suppress

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

CENTERFACE = "CenterFace"
FULL_RANGE = "BlazeFace full range"
PEOPLE = "BlazePose detector"

_COVERED = 0.6
"""A face of which so much shows a cover is the cover's own: a mesh has a face too."""

_RIM = 0.25
_RIM_PX = 28
_RIM_SCORE = 0.55
"""A face of which this much shows a cover has to score this: fists and napes at a mesh's rim reach 0.46."""

_CORE = 0.8
_LARGE, _HUGE = 160, 480
"""Pixels of a place's longer side from which on it is searched at a half and a quarter of its size too."""

_TURNED = 400_000
"""Pixels to be searched up to which they are searched turned, too."""

_WHOLE = 0.6
"""Share of the picture from which on the whole of it is searched in one piece."""

_BODY = 0.4
"""A body of which so much shows a cover is a covered one, or the mesh itself."""


_LEAST_BODY = 96
_LEAST_SEEN = 12
_BODIES_EVERY = 3
"""Frames from one look for bodies in changed places to the next."""

_AGAIN = 2
"""In so many of four squares beside the one in which somebody was found they have to be found too."""

_MOST_TILES = 2
"""In how many changed places of a frame bodies are looked for, the largest ones: they take 7 ms each."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What was asked about one place, and not yet answered; ``core`` is where the turned search looks."""

    place: Place
    core: Place
    scales: Sequence[Future[list[Face]]]
    turned: Future[list[Face]] | None
    turned_scale: float = 1.0

    def answer(self) -> list[Face]:
        """Faces in pixels of the picture, those at the largest scale first."""
        found: list[Face] = []
        for asked in self.scales:
            found += _new(_moved(asked.result(), self.place), found)
        if self.turned is not None:
            turned = _enlarged(self.turned.result(), 1 / self.turned_scale)
            found += _new(_moved(turned, self.core), found)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture that is being searched; ``bare`` is the one in which people are looked for."""

    bare: U1
    replaced: Bools | None
    means: U1
    shown: Bools
    places: Sequence[Place] | None
    faces: Sequence[_Asked]
    surely: Future[list[Face]] | None
    people: Sequence[tuple[Tile, Future[list[Region]]]]
    with_bodies: bool


class Searcher:
    """The networks of the audit and what they have seen of one video.

    To be closed, or used as a context. One thread asks; the networks answer in threads of their own, so
    several pictures may be begun before the first of them is ended: what is searched depends on the pictures
    alone, not on what is found in them.

    Args:
        centerface, full_range, people: files of the networks; the last two may be left out.
        every: frames from one search of the whole picture to the next.

    Raises:
        WeightsError: a network is missing or damaged.
    """

    def __init__(
        self, centerface: Path, full_range: Path | None, people: Path | None, *, every: int = 25
    ) -> None:
        self._networks = Networks(centerface, full_range, people)
        self._every = every
        self._memory: ChangeMemory | None = None
        self._standing = Standing()
        self._count = 0
        self.whole_searches = 0
        self.pixels_searched = 0

    def __enter__(self) -> Searcher:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; what was begun and not ended is given up."""
        self._networks.close()

    def search(self, image: U1, replaced: Bools | None, *, last: bool = False) -> list[Finding]:
        """Everything that can be seen in the next picture: :meth:`begin` and :meth:`end` at once."""
        return self.end(self.begin(image, replaced, last=last))

    def begin(self, image: U1, replaced: Bools | None, *, last: bool = False) -> Look:
        """Begin to search the next picture.

        Args:
            image: (H, W, 3) uint8 RGB, all of one size; it must not change until the search has ended.
            replaced: (h, w) blocks that show a cover; None where nobody knows.
            last: the video ends here: search the whole picture.

        Raises:
            InputError: no picture.
        """
        if self._memory is None:
            self._memory = ChangeMemory(image.shape[0], image.shape[1])
        blocks = self._memory.look(image, replaced)
        means, shown = self._memory.now
        whole = last or self._count % self._every == 0
        self._count += 1
        if whole:
            look = self._whole(image, replaced, means, shown)
            self._memory.searched_whole()
            return look
        places = self._memory.places(blocks)
        look = self._partly(image, replaced, means, shown, places)
        self._memory.searched(blocks)
        return look

    def end(self, look: Look) -> list[Finding]:
        """Everything that can be seen in a picture. Pictures end in the order in which they were begun."""
        faces: list[Face] = []
        for asked in look.faces:
            faces += asked.answer()
        found = _faces(faces, CENTERFACE)
        if look.surely is not None:
            found += _faces(_new(look.surely.result(), faces), FULL_RANGE)
        found = _seen(found, look.replaced) + self._bodies(look)
        if look.places is None:
            self._standing.searched_whole(found, look.means, look.shown)
            return found
        self._standing.searched(look.places, found, look.means, look.shown, bodies=look.with_bodies)
        return self._standing.now(look.means, look.shown)

    def alike(self, box: F4) -> list[int]:
        """Frames (counted from 0) in which the middle of a box looked as it does in the one that was begun
        last, and showed no cover."""
        if self._memory is None:
            return []
        return self._memory.alike(*blocks_of(box, self._memory.now[1].shape))

    def _bodies(self, look: Look) -> list[Finding]:
        """People whom no cover hides."""
        tile_of = {region: tile for tile, asked in look.people for region in asked.result()}
        found = []
        for region in suppress(list(tile_of)):
            person = _person(region, look.bare)
            if (person.box[2:] - person.box[:2]).min() < _LEAST_SEEN or not _seen([person], look.replaced):
                continue
            if self._is_found_beside(look.bare, person, tile_of[region]):
                found.append(person)
        return found

    def _is_found_beside(self, image: U1, person: Finding, tile: Tile) -> bool:
        """Whether a person is found in squares of the picture that lie a little beside this one, too."""
        asked = [self._networks.people(image, near, AGAIN_SCORE) for near in beside(tile)]
        seen = [
            any(is_same_person(person.box, _person(r, image).box) for r in answer.result())
            for answer in asked
        ]  # fmt: skip
        return sum(seen) >= _AGAIN

    def _whole(self, image: U1, replaced: Bools | None, means: U1, shown: Bools) -> Look:
        """All networks, all scales, turned."""
        h, w = image.shape[:2]
        self.whole_searches += 1
        self.pixels_searched += w * h
        everything = Place(0, 0, w, h)
        scales = [self._networks.upright(image, scale) for scale in (1.0, 0.5, 0.25)]
        turned = self._networks.turned(_scaled(image, 0.5))
        surely = self._networks.surely(image)
        bare = _bare(image, replaced, means)
        people = [(tile, self._networks.people(bare, tile)) for tile in make_tiles(w, h)]
        asked = _Asked(everything, everything, scales, turned, 0.5)
        return Look(bare, replaced, means, shown, None, [asked], surely, people, True)

    def _partly(
        self, image: U1, replaced: Bools | None, means: U1, shown: Bools, changed: Sequence[Place]
    ) -> Look:
        """The places that have changed."""
        h, w = image.shape[:2]
        places, total = changed, sum(p.area for p in changed)
        if total > _WHOLE * w * h:
            places, total = [Place(0, 0, w, h)], w * h
        asked = []
        for place in places:
            crop = _part(image, place)
            side = max(crop.shape[:2])
            scales = (1.0, *((0.5,) if side > _LARGE else ()), *((0.25,) if side > _HUGE else ()))
            faces = [self._networks.upright(crop, scale) for scale in scales]
            turned = self._networks.turned(_part(image, place.core)) if total <= _TURNED else None
            asked.append(_Asked(place, place.core, faces, turned))
            self.pixels_searched += place.area
        with_bodies = self._count % _BODIES_EVERY == 0
        large = sorted((p for p in places if p.area >= _LEAST_BODY**2), key=lambda p: -p.area)
        tiles = [_tile_about(p) for p in large[:_MOST_TILES]] if with_bodies else []
        bare = _bare(image, replaced, means) if tiles else image
        people = [(tile, self._networks.people(bare, tile)) for tile in tiles]
        return Look(bare, replaced, means, shown, changed, asked, None, people, with_bodies)


def _bare(image: U1, replaced: Bools | None, means: U1) -> U1:
    return image if replaced is None else without_cover(image, replaced, means)


def _person(region: Region, image: U1) -> Finding:
    h, w = image.shape[:2]
    box, head = _clipped(_body_box(region), w, h), _clipped(_head_box(region), w, h)
    return Finding("person", box, region.score, PEOPLE, head=head)


def _part(image: U1, place: Place) -> U1:
    return image[place.y0 : place.y1, place.x0 : place.x1]


def _tile_about(place: Place) -> Tile:
    side = 1.15 * max(place.x1 - place.x0, place.y1 - place.y0)
    return Tile((place.x0 + place.x1 - side) / 2, (place.y0 + place.y1 - side) / 2, side)


def _scaled(image: U1, scale: float) -> U1:
    h, w = image.shape[:2]
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(faces: Sequence[Face], by: float) -> list[Face]:
    return [Face(f.box * np.float32(by), f.score) for f in faces]


def _moved(faces: Sequence[Face], place: Place) -> list[Face]:
    shift = np.array([place.x0, place.y0, place.x0, place.y0], np.float32)
    return [Face(f.box + shift, f.score) for f in faces]


def _new(faces: Sequence[Face], known: Sequence[Face]) -> list[Face]:
    """Faces whose middle lies in no known one, nor the other way round."""
    found: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.score):
        if not any(is_same(face, other) for other in (*known, *found)):
            found.append(face)
    return found


def _faces(faces: Sequence[Face], by: str) -> list[Finding]:
    return [Finding("face", f.box, f.score, by) for f in faces]


def _seen(findings: Sequence[Finding], replaced: Bools | None) -> list[Finding]:
    """Without what is the cover itself, or lies behind it."""
    return list(findings) if replaced is None else [f for f in findings if not _is_cover(f, replaced)]


def _is_cover(finding: Finding, replaced: Bools) -> bool:
    if finding.kind == "person":
        head = finding.head
        hidden = head is not None and share_in(replaced, head) >= _BODY
        return hidden or share_in(replaced, finding.box) >= _BODY
    share = share_in(replaced, around(finding.box, _CORE))
    large = float((finding.box[2:] - finding.box[:2]).max()) >= _RIM_PX
    return share >= _COVERED or (large and share >= _RIM and finding.score < _RIM_SCORE)


def _body_box(region: Region) -> F4:
    """The upright box of a body within its circle: people are narrower than tall."""
    r = region.radius
    axis = (region.up - region.centre) / max(r, 1e-6)
    ends = np.stack([region.centre + 0.85 * r * axis, region.centre - 0.85 * r * axis])
    side = 0.3 * r * np.array([-axis[1], axis[0]])
    corners = np.concatenate([ends + side, ends - side])
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)


def _head_box(region: Region) -> F4:
    middle = region.head if region.head is not None else 0.25 * region.centre + 0.75 * region.up
    reach = 0.22 * region.radius
    return np.concatenate([middle - reach, middle + reach]).astype(np.float32)


def _clipped(box: F4, width: int, height: int) -> F4:
    return np.clip(box, 0, np.array([width, height, width, height], np.float32)).astype(np.float32)
