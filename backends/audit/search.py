"""Searches one picture after another for faces and people that no cover hides.

Every picture is searched wherever it shows what no search has seen before (:mod:`backends.audit.changes`),
at full size and, where the place is large, at smaller scales and turned; and from corner to corner by all
networks every now and then. What was found stays found while its place does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backends.audit.blocks import around, share_in
from backends.audit.changes import ChangeMemory, Place
from backends.audit.standing import Standing, blocks_of
from backends.audit.types import Finding
from backends.detection.blazepose import PersonDetector
from backends.detection.faces import CenterFace, Face, FullRangeFace
from backends.detection.tiles import Tile, make_tiles
from backends.detection.types import Region, suppress

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

CENTERFACE = "CenterFace"
FULL_RANGE = "BlazeFace full range"
PEOPLE = "BlazePose detector"

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
"""Bodies in the open are at 0.95 and above; meshes that stand apart are taken for one large body at up to
0.8, trees at 0.6."""

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

_MOST_TILES = 2
"""In how many changed places of a frame bodies are looked for, the largest ones: they take 7 ms each."""


class Searcher:
    """The networks of the audit and what they have seen of one video. Not thread-safe.

    Args:
        centerface, full_range, people: files of the networks; the last two may be left out.
        every: frames from one search of the whole picture to the next.
    """

    def __init__(
        self, centerface: Path, full_range: Path | None, people: Path | None, *, every: int = 25
    ) -> None:
        self._faces = CenterFace(centerface)
        self._second = FullRangeFace(full_range) if full_range is not None else None
        self._people = PersonDetector(people) if people is not None else None
        self._every = every
        self._memory: ChangeMemory | None = None
        self._standing = Standing()
        self._count = 0
        self.whole_searches = 0
        self.pixels_searched = 0

    def search(self, image: U1, replaced: Bools | None, *, last: bool = False) -> list[Finding]:
        """Everything that can be seen in the next picture.

        Args:
            image: (H, W, 3) uint8 RGB, all of one size.
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
            found = _seen(self._whole(image), replaced)
            self._memory.searched_whole()
            self._standing.searched_whole(found, means, shown)
            return found
        places = self._memory.places(blocks)
        with_bodies = self._count % _BODIES_EVERY == 0
        found = _seen(self._partly(image, places, with_bodies=with_bodies), replaced)
        self._memory.searched(blocks)
        self._standing.searched(places, found, means, shown, bodies=with_bodies)
        return self._standing.now(means, shown)

    def alike(self, box: F4) -> list[int]:
        """Frames (counted from 0) in which the middle of a box looked as it does now, and showed no cover."""
        if self._memory is None:
            return []
        return self._memory.alike(*blocks_of(box, self._memory.now[1].shape))

    def _whole(self, image: U1) -> list[Finding]:
        """All networks, all scales, turned."""
        h, w = image.shape[:2]
        self.whole_searches += 1
        faces = self._at_scales(image, (1.0, 0.5, 0.25))
        half = _scaled(image, 0.5)
        faces += _new(_enlarged(_turned(self._faces, self._second, half), 2.0), faces)
        self.pixels_searched += w * h
        if self._second is not None:
            sure = [Face(f.box, f.score) for f in self._second.detect(image, SECOND_SCORE)]
            return (
                _faces(faces, CENTERFACE)
                + _faces(_new(sure, faces), FULL_RANGE)
                + self._bodies(image, make_tiles(w, h))
            )
        return _faces(faces, CENTERFACE) + self._bodies(image, make_tiles(w, h))

    def _partly(self, image: U1, places: Sequence[Place], *, with_bodies: bool) -> list[Finding]:
        """The places that have changed."""
        h, w = image.shape[:2]
        total = sum(p.area for p in places)
        if total > _WHOLE * w * h:
            places, total = [Place(0, 0, w, h)], w * h
        found: list[Finding] = []
        for place in places:
            crop = np.ascontiguousarray(image[place.y0 : place.y1, place.x0 : place.x1])
            side = max(crop.shape[:2])
            scales = (1.0, *((0.5,) if side > _LARGE else ()), *((0.25,) if side > _HUGE else ()))
            faces = self._at_scales(crop, scales)
            if total <= _TURNED:
                core = place.core
                inner = np.ascontiguousarray(image[core.y0 : core.y1, core.x0 : core.x1])
                turned = _moved(_turned(self._faces, self._second, inner), core.within(place))
                faces += _new(turned, faces)
            self.pixels_searched += place.area
            found += _faces(_moved(faces, place), CENTERFACE)
        if not with_bodies:
            return found
        large = sorted((p for p in places if p.area >= _LEAST_BODY**2), key=lambda p: -p.area)
        return found + self._bodies(image, [_tile_about(p) for p in large[:_MOST_TILES]])

    def _at_scales(self, image: U1, scales: Sequence[float]) -> list[Face]:
        found: list[Face] = []
        for scale in scales:
            seen = [
                f for f in self._faces.detect(image, FACE_SCORE, scale)
                if f.score >= SURE_SCORE or _is_confirmed(self._second, image, f, CONFIRMED)
            ]  # fmt: skip
            found += _new(seen, found)
        return found

    def _bodies(self, image: U1, tiles: Sequence[Tile]) -> list[Finding]:
        if self._people is None:
            return []
        regions: list[Region] = []
        for tile in tiles:
            regions += self._people.detect(image, tile, PERSON_SCORE)
        h, w = image.shape[:2]
        found = []
        for region in suppress(regions):
            box, head = _clipped(_body_box(region), w, h), _head_box(region)
            if (box[2:] - box[:2]).min() >= _LEAST_SEEN:
                found.append(Finding("person", box, region.score, PEOPLE, head=_clipped(head, w, h)))
        return found


def _turned(network: CenterFace, second: FullRangeFace | None, image: U1) -> list[Face]:
    """Faces of people who lie, or whose head is bent far aside: a quarter turn to each side."""
    h, w = image.shape[:2]
    found: list[Face] = []
    for code, back in (
        (cv2.ROTATE_90_CLOCKWISE, lambda x, y: (y, h - x)),
        (cv2.ROTATE_90_COUNTERCLOCKWISE, lambda x, y: (w - y, x)),
    ):
        turned = np.ascontiguousarray(cv2.rotate(image, code))
        for face in network.detect(turned, TURNED_SCORE):
            if not _is_confirmed(second, turned, face, TURNED_CONFIRMED):
                continue
            (ax, ay), (bx, by) = back(*face.box[:2]), back(*face.box[2:])
            box = np.array([min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)], np.float32)
            found.append(Face(box, face.score))
    return found


def _is_confirmed(second: FullRangeFace | None, image: U1, face: Face, threshold: float) -> bool:
    """Whether the second network sees a face there too, where it is asked to look."""
    if second is None or float((face.box[2:] - face.box[:2]).max()) < _LEAST_CONFIRMED:
        return True
    x, y = (face.box[:2] + face.box[2:]) / 2
    reach = max(_LOOK * float((face.box[2:] - face.box[:2]).max()), _LEAST_LOOK)
    h, w = image.shape[:2]
    x0, y0, x1, y1 = max(0, int(x - reach)), max(0, int(y - reach)), int(x + reach) + 1, int(y + reach) + 1
    crop = np.ascontiguousarray(image[y0 : min(y1, h), x0 : min(x1, w)])
    if min(crop.shape[:2]) < 8:
        return True
    here = face.box - np.array([x0, y0, x0, y0], np.float32)
    return any(_in(f.box, here) or _in(here, f.box) for f in second.detect(crop, threshold, (1.0,)))


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
        if not any(_in(face.box, k.box) or _in(k.box, face.box) for k in (*known, *found)):
            found.append(face)
    return found


def _in(box: F4, other: F4) -> bool:
    middle = (box[:2] + box[2:]) / 2
    return bool((other[:2] <= middle).all() and (middle <= other[2:]).all())


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
