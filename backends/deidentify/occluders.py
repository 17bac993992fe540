"""Things before people: a table, a drape, an instrument trolley stay in front of the body that is shown.

A fitted body is whole, also where the person stands behind something. Where a large part of the drawn body
lies on pixels that look like the empty room and that are nobody's, the room's thing is in front. What is
shown there is the room, never the picture, so a mistake costs a piece of a body and shows nobody.

A depth sensor knows better which is in front: where it has something at the body's distance somebody is
there, whatever colour their clothes have, and where it has something nearer, smaller things are believed too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from backends.deidentify.pieces import pieces
from backends.deidentify.regions import head_region
from backends.deidentify.types import PersonCover
from backends.depth.patch import DepthPatch
from backends.render import Picture

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

_OPEN = 0.03
"""Narrower than this share of a person is the rim of a body that does not fit to the pixel."""
_LEAST = 0.004
"""Of the square of a person's size: smaller pieces are clothes of the wall's colour."""
_SURE = 0.001
"""The same where a sensor has something in front."""
_NEARER_M = 0.15
"""Clothes and hair hang less far before a body."""
_LOOSE = 0.2
"""Of the drawn body: smaller pieces that are cut off by a thing are hidden, too."""


def behind_things(
    picture: Picture, covers: Sequence[PersonCover], members: Sequence[int], alike: U1
) -> Picture:
    """The drawn bodies without what things hide.

    Args:
        members: the place in ``covers`` of every mesh of ``picture``, by its number.
        alike: (H, W) uint8, 1 where the picture looks like the empty room.
    """
    rows, columns = picture.window
    free = np.ones(picture.crop_mesh_id.shape, np.uint8)
    for cover in covers:
        # Of a head nothing is ever given away.
        head = head_region(cover, picture.width, picture.height)
        if head is not None:
            _blank(free, head.mask, head.x0 - picture.x0, head.y0 - picture.y0)
    hidden = np.zeros_like(free)
    for number, place in enumerate(members):
        cover = covers[place]
        if not cover.masks or cover.slack > 0:
            continue
        mine = (picture.crop_mesh_id == number).view(np.uint8)
        x, y, w, h = cv2.boundingRect(mine)
        if not w:
            continue
        part = (slice(y, y + h), slice(x, x + w))
        left = mine[part] & free[part]
        for mask in cover.masks:
            # What the network saw of a person is theirs.
            _blank(left, mask.decode().view(np.uint8), mask.x0 - picture.x0 - x, mask.y0 - picture.y0 - y)
        same = left & alike[rows, columns][part]
        front = None
        if cover.depth is not None:
            corner = (picture.x0 + x, picture.y0 + y)
            front, here = _sensed(cover.depth, picture.crop_depth[part], corner)
            same &= 1 - here
            front &= same
        gone = _behind(mine[part], left, same, cover.size, front)
        hidden[part] |= gone
    if not hidden.any():
        return picture
    soft = cv2.blur(cv2.dilate(hidden, np.ones((3, 3), np.uint8)) * np.float32(1), (3, 3))
    soft[free == 0] = 0
    return replace(picture, crop_coverage=np.asarray(picture.crop_coverage * (1 - soft), np.float32))


def _sensed(patch: DepthPatch, body_m: F4, corner: tuple[int, int]) -> tuple[U1, U1]:
    """(h, w) where a sensor has something before a body, and where it has something at its distance.

    Args:
        body_m: (h, w) metres, the drawn body's; corner: x and y of its first pixel in the picture.
    """
    h, w = body_m.shape
    row = (np.arange(corner[1], corner[1] + h) - patch.y0) // patch.step
    column = (np.arange(corner[0], corner[0] + w) - patch.x0) // patch.step
    rows, columns = patch.mm.shape
    inside = ((row >= 0) & (row < rows))[:, None] & ((column >= 0) & (column < columns))[None]
    seen = patch.mm[np.ix_(np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1))]
    known = inside & (seen > 0) & np.isfinite(body_m)
    gap = seen.astype(np.float32) / np.float32(1e3) - np.where(known, body_m, np.float32(0.0))
    front, here = known & (gap < -_NEARER_M), known & (np.abs(gap) <= _NEARER_M)
    return front.view(np.uint8), here.view(np.uint8)


def _behind(mine: U1, left: U1, alike: U1, size: float, front: U1 | None = None) -> U1:
    """(h, w) what of a drawn body is hidden.

    Args:
        mine: the body; left: what of it may be hidden; alike: what of that looks like the room; front: what
            of that a sensor has before the body.
        size: of the person, pixels.
    """
    reach = max(1, round(_OPEN * size / 2))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    opened = np.asarray(cv2.morphologyEx(alike, cv2.MORPH_OPEN, disc), np.uint8)
    large = pieces(opened, _LEAST * size * size)
    if front is not None:
        large |= pieces(front, _SURE * size * size)
    if not large.any():
        return large
    # With its rims, where the body does not fit to the pixel.
    wide = 2 * (reach + 2) + 1
    around = cv2.dilate(large, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
    gone = np.asarray(around, np.uint8) & left
    # A foot that hangs in the air below a table looks worse than none.
    loose = pieces(mine & (1 - gone), 0, _LOOSE * float(mine.sum()))
    return gone | loose


def _blank(target: U1, mask: U1, x: int, y: int) -> None:
    """Set ``target`` to 0 where ``mask`` is above 0, its corner at (x, y); what lies outside is cut off."""
    h, w = target.shape
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + mask.shape[1], w), min(y + mask.shape[0], h)
    if x1 > x0 and y1 > y0:
        target[y0:y1, x0:x1][mask[y0 - y : y1 - y, x0 - x : x1 - x] > 0] = 0
