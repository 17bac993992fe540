"""Covers people and places in one picture, each in its own way, over the picture or over the empty room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt

from backends.background import Light, Plate, light_of
from backends.camera import Camera
from backends.deidentify.bodies import Drawn, draw_bodies
from backends.deidentify.fills import blurred, pixelated, solid, surroundings
from backends.deidentify.foreground import Foreground
from backends.deidentify.light import in_light
from backends.deidentify.occluders import behind_things
from backends.deidentify.regions import (
    area_region,
    face_region,
    head_radius,
    head_region,
    person_region,
    region_of,
)
from backends.deidentify.shadows import cast_shadows
from backends.deidentify.strangers import strangers
from backends.deidentify.types import Fill, FreeArea, How, PersonCover, Region
from backends.render import composite

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Array = Any

_FEATHER = 2
_AREA_RADIUS = 0.25
"""What counts as a head's radius in a free area, as a share of its shorter side."""
_SPARE_RIM = 3
_ROOMY: tuple[Fill, ...] = ("mesh", "remove")
_ORDER: tuple[Fill, ...] = (*_ROOMY, "blur", "pixels", "solid")
_SIZE = 0.3
"""Of the picture's height: how large a stranger is taken to be where nobody else is in sight."""


@numba.njit(cache=True, nogil=True)
def _mix(target: Array, source: Array, alpha: Array) -> None:
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            a = int(alpha[y, x])
            if a:
                for c in range(3):
                    t = int(target[y, x, c])
                    target[y, x, c] = t + ((int(source[y, x, c]) - t) * a + 127) // 255


@dataclass(frozen=True, slots=True)
class _Paint:
    """What regions are filled from: the picture, what may not be seen of it, the empty room and its light."""

    image: U1
    covered: BoolArray
    plate: Plate | None
    light: Light | None
    phase: tuple[float, float]

    def of(self, region: Region, fill: Fill, radius: float) -> U1:
        if fill == "solid":
            return solid(region)
        if fill == "pixels":
            return pixelated(self.image, region, radius, self.phase)
        if fill == "blur":
            return blurred(self.image, region, radius)
        if self.plate is not None and self.light is not None:
            return self.light.on(self.plate.rgb, region.window)
        return surroundings(self.image, region, self.covered)


def cover_frame(
    frame: U1,
    covers: Sequence[PersonCover],
    camera: Camera,
    *,
    plate: Plate | None,
    phase: tuple[float, float] = (0.0, 0.0),
    areas: Sequence[FreeArea] = (),
    foreground: Foreground | None = None,
    room: Plate | None = None,
    rest: Fill = "solid",
    up: F8 | None = None,
    threads: int | None = None,
) -> tuple[U1, BoolArray]:
    """Cover everybody who is not spared, and every free area.

    Free areas come first, so that a body stands before a covered monitor and cells over a person hold
    nothing of it; those that are ``on_top`` come last.

    Args:
        frame: (H, W, 3) uint8, left as it is.
        covers: everybody, the spared included.
        plate: the empty room, shown where people were; else their surroundings, blurred.
        phase: of the pixel grid, so that cells cannot be compared from export to export.
        foreground: of ``plate`` or ``room``; what it finds beside the people is taken for somebody whom
            nobody has found, or for more of somebody than was known. The empty room is shown there, or it is
            covered with ``rest``.
        room: the empty room where it is known and not shown.
        up: (3,) against gravity, for shadows: see :func:`cast_shadows`.
        threads: how many draw bodies; see :func:`backends.render.rasterize`.

    Returns:
        The covered picture and (H, W) which pixels were replaced.
    """
    height, width = frame.shape[:2]
    drawn = draw_bodies(covers, camera, (height, width), threads)
    regions = _regions(covers, drawn, width, height)
    if plate is None and room is not None and foreground is not None:
        regions += _nobodys(frame, covers, drawn, regions, room, foreground, rest)
    below = [(a, r) for a in areas if (r := area_region(a, width, height)) is not None]
    people = np.zeros((height, width), np.bool_)
    for _, region in regions:
        people[region.window] |= region.mask > 0
    covered = people.copy()
    for _, region in below:
        covered[region.window] |= region.mask > 0
    light = light_of(frame, plate, covered) if plate is not None else None
    rooms = _with_room(regions, height, width) if plate is not None else None
    bodies = drawn.picture
    if foreground is not None and light is not None:
        found = foreground.of(frame, light)
        strange = _strange(found.strange, covers, drawn)
        if any(c.how is not None and c.how.what != "whole" for c in covers):
            strange |= strangers(foreground.differences(frame, light), covers, covered, drawn.outlines)
        rooms = strange if rooms is None else rooms | strange
        people |= strange
        covered |= strange
        if bodies is not None:
            bodies = behind_things(bodies, covers, drawn.members, found.alike)

    base = frame.copy()
    paint = _Paint(frame, covered, plate, light, phase)
    for area, region in below:
        if not area.on_top:
            _put(base, region, area.fill, _radius_of(region), paint)
    out = base.copy() if below else base
    paint = _Paint(base if below else frame, people, plate, light, phase)
    # What shows the room comes first: it may not wipe out the cover of somebody beside.
    behind = region_of(rooms) if rooms is not None else None
    if behind is not None:
        _put(out, behind, "remove", 1.0, paint)
    ordered = sorted(regions, key=lambda r: _ORDER.index(_fill_of(r[0])))
    if rooms is None:
        for person, region in ordered:
            if _fill_of(person) in _ROOMY:
                _put(out, region, _fill_of(person), head_radius(person), paint)
    for area, region in below:
        if not area.on_top:
            # What shows the room has shown the covered board on its wall again.
            _put(out, region, area.fill, _radius_of(region), _Paint(out.copy(), covered, plate, light, phase))
    for person, region in ordered:
        if _fill_of(person) not in _ROOMY:
            _put(out, region, _fill_of(person), head_radius(person), paint)
    if bodies is not None:
        if plate is not None:
            cast_shadows(out, covers, camera, up)
        composite(out, in_light(bodies, covers, drawn.members, out), out=out)
    for area, region in below:
        if area.on_top:
            _put(out, region, area.fill, _radius_of(region), _Paint(out.copy(), covered, plate, light, phase))
    return out, covered


def _fill_of(person: PersonCover) -> Fill:
    return person.how.fill if person.how is not None else "solid"


def _radius_of(region: Region) -> float:
    return _AREA_RADIUS * float(min(region.mask.shape))


def _regions(
    covers: Sequence[PersonCover], drawn: Drawn, width: int, height: int
) -> list[tuple[PersonCover, Region]]:
    """Everybody's pixels. What a spared person surely hides of others stays to be seen."""
    found = []
    for i, person in enumerate(covers):
        if person.how is None:
            continue
        if person.how.what == "whole":
            region = person_region(person, drawn.outlines.get(i), width, height)
        elif person.how.what == "head":
            region = head_region(person, width, height)
        else:
            region = face_region(person, width, height)
        if region is not None:
            found.append((person, region))
    spared = _before_others(covers, drawn, width, height)
    if spared is not None:
        for _, region in found:
            region.mask[spared[region.window]] = 0
    return found


def _nobodys(
    frame: U1, covers: Sequence[PersonCover], drawn: Drawn, regions: Sequence[tuple[PersonCover, Region]],
    room: Plate, foreground: Foreground, rest: Fill,
) -> list[tuple[PersonCover, Region]]:  # fmt: skip
    """Whoever was not found and stands before a room that is not shown: all of them together, or nobody."""
    height, width = frame.shape[:2]
    covered = np.zeros((height, width), np.bool_)
    for _, region in regions:
        covered[region.window] |= region.mask > 0
    people = covered.copy()
    for cover in covers:
        x0, y0, x1, y1 = (max(0, int(v)) for v in np.nan_to_num(cover.box))
        people[y0 : y1 + 1, x0 : x1 + 1] = True
    differences = foreground.differences(frame, light_of(frame, room, people))
    found = region_of(strangers(differences, covers, covered, drawn.outlines))
    if found is None:
        return []
    size = float(np.median([c.size for c in covers])) if covers else _SIZE * height
    box = np.array([0, 0, width, height], np.float32)
    return [(PersonCover(box, None, (), None, None, None, size, how=How("whole", rest)), found)]


def _with_room(regions: Sequence[tuple[PersonCover, Region]], height: int, width: int) -> BoolArray:
    """(H, W) of everybody behind whom the room is shown, together: they are painted at once."""
    rooms = np.zeros((height, width), np.bool_)
    for person, region in regions:
        if _fill_of(person) in _ROOMY:
            rooms[region.window] |= region.mask > 0
    return rooms


def _strange(found: BoolArray, covers: Sequence[PersonCover], drawn: Drawn) -> BoolArray:
    """What was ``found`` (H, W) before the empty room, but for people of whom something is to stay."""
    height, width = found.shape
    for i, person in enumerate(covers):
        if person.how is None or person.how.what != "whole":
            region = person_region(person, drawn.outlines.get(i), width, height)
            if region is not None:
                found[region.window] &= region.mask == 0
    return found


def _before_others(covers: Sequence[PersonCover], drawn: Drawn, width: int, height: int) -> BoolArray | None:
    """(H, W) pixels that surely belong to spared people: of their mask, where their body is the nearest and
    no mask, head or guess of somebody else reaches. None where nobody is spared."""
    spared = [i for i, c in enumerate(covers) if c.how is None and c.masks and i in drawn.outlines]
    if not spared:
        return None
    keep = np.zeros((height, width), np.bool_)
    for i in spared:
        own = np.zeros((height, width), np.bool_)
        for mask in covers[i].masks:
            mask.paint(own)
        outline, nearest = drawn.outlines[i], np.zeros((height, width), np.bool_)
        nearest[outline.window] = outline.mask > 0
        sure = cv2.erode((own & nearest).view(np.uint8), np.ones((_SPARE_RIM, _SPARE_RIM), np.uint8))
        keep |= np.asarray(sure, np.bool_)
    for other in covers:
        if other.how is None:
            continue
        for mask in other.masks:
            taken = np.zeros((height, width), np.bool_)
            mask.paint(taken)
            keep &= ~taken
        head = head_region(other, width, height)
        if head is not None:
            keep[head.window] &= head.mask == 0
        if other.slack > 0:
            region = person_region(other, None, width, height)
            if region is not None:
                keep[region.window] &= region.mask == 0
    return keep


def _put(out: U1, region: Region, fill: Fill, radius: float, paint: _Paint) -> None:
    height, width = out.shape[:2]
    soft, alpha = _feathered(region, width, height)
    _mix(out[soft.window], paint.of(soft, fill, radius), alpha)


def _feathered(region: Region, width: int, height: int) -> tuple[Region, U1]:
    """The region with a soft rim outside of it: inside the cover stays whole."""
    p = 2 * _FEATHER
    x0, y0 = max(0, region.x0 - p), max(0, region.y0 - p)
    h, w = region.mask.shape
    x1, y1 = min(width, region.x0 + w + p), min(height, region.y0 + h + p)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    mask[region.y0 - y0 : region.y0 - y0 + h, region.x0 - x0 : region.x0 - x0 + w] = region.mask
    size = 2 * _FEATHER + 1
    wide = cv2.dilate(mask, np.ones((size, size), np.uint8))
    soft = np.asarray(cv2.blur(wide, (size, size)), np.uint8)
    return Region(x0, y0, mask), np.maximum(soft, mask)
