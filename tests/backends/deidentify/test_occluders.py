"""Things that stand before people."""

from __future__ import annotations

import numpy as np
from small_room import CAMERA, HEIGHT, WIDTH, changed, person, room, skin, standing, with_people

from backends.background import Plate
from backends.deidentify import Foreground, cover_frame, head_region
from backends.deidentify.types import PersonCover
from backends.depth import DepthPatch
from backends.keypoints.layout import INDEX
from backends.masks import encode_mask
from backends.render import rasterize

TABLE = (40, 60, 140)


def furnished(top: int) -> np.ndarray:
    image = room()
    image[top : top + 150] = TABLE
    return image


def test_a_table_stays_before_the_body_of_somebody_behind_it() -> None:
    a, real = person(standing())
    top = int(a.keypoints.xy[INDEX["left_hip"], 1])  # type: ignore[union-attr]
    empty = furnished(top)
    seen = real.copy()
    seen[top:] = False
    frame = with_people(empty, seen)
    plate = Plate(empty, np.ones((HEIGHT, WIDTH), bool), 1.0)
    behind = changed(a, masks=(encode_mask(seen, 0, 0),))
    out, covered = cover_frame(frame, [behind], CAMERA, plate=plate, foreground=Foreground(plate))
    assert not skin(out).any()
    assert covered[seen].all()
    body = rasterize([a.mesh], CAMERA).coverage == 1.0  # type: ignore[list-item]
    legs = body.copy()
    legs[: top + 12] = False
    assert np.abs(out[legs].astype(int) - TABLE).max(axis=1).max() <= 3
    chest = body.copy()
    chest[top - 12 :] = False
    assert (np.abs(out[chest].astype(int) - empty[chest]).max(axis=1) > 15).mean() > 0.95
    without = cover_frame(frame, [behind], CAMERA, plate=plate)[0]
    assert (np.abs(without[legs].astype(int) - TABLE).max(axis=1) > 15).mean() > 0.9


def test_a_head_is_never_given_away_and_what_the_network_saw_of_a_person_stays_theirs() -> None:
    a, real = person(standing())
    plate = Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)
    body = rasterize([a.mesh], CAMERA).coverage == 1.0  # type: ignore[list-item]
    head = head_region(a, WIDTH, HEIGHT)
    assert head is not None
    at_head = np.zeros((HEIGHT, WIDTH), bool)
    at_head[head.window] = head.mask > 0
    speck = np.zeros((HEIGHT, WIDTH), bool)
    speck[:2, :2] = True
    # The whole picture looks like the room: clothes and skin of the wall's colour.
    for masks, kept in (((encode_mask(speck, 0, 0),), body & at_head), (a.masks, body & real)):
        out, covered = cover_frame(
            room(), [changed(a, masks=masks)], CAMERA, plate=plate, foreground=Foreground(plate)
        )
        assert (np.abs(out[kept].astype(int) - room()[kept]).max(axis=1) > 15).mean() > 0.95
        assert covered[body].all()


def test_of_somebody_guessed_nothing_is_hidden() -> None:
    a, _ = person(standing())
    plate = Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)
    guess = changed(a, slack=6.0, masks=(encode_mask(np.ones((2, 2), bool), 0, 0),))
    with_room = cover_frame(room(), [guess], CAMERA, plate=plate, foreground=Foreground(plate))[0]
    alone = cover_frame(room(), [guess], CAMERA, plate=plate)[0]
    np.testing.assert_array_equal(with_room, alone)


def sensed(a: PersonCover, nearer: np.ndarray) -> DepthPatch:
    """What a sensor says of a body before a wall, with a thing 60 cm before it at ``nearer``."""
    body = rasterize([a.mesh], CAMERA).depth  # type: ignore[list-item]
    depth = np.where(np.isfinite(body), body - np.where(nearer, 0.6, 0.02), 7.0)
    mm = np.round(1000 * depth[2::4, 2::4]).astype(np.uint16)
    return DepthPatch(0, 0, 4, mm, np.ones(mm.shape, np.bool_))


def test_a_sensor_tells_clothes_of_the_walls_colour_from_things_in_front() -> None:
    a, _ = person(standing())
    plate = Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)
    speck = np.zeros((HEIGHT, WIDTH), bool)
    speck[:2, :2] = True
    body = rasterize([a.mesh], CAMERA).coverage == 1.0  # type: ignore[list-item]
    head = head_region(a, WIDTH, HEIGHT)
    assert head is not None
    at_head = np.zeros((HEIGHT, WIDTH), bool)
    at_head[head.window] = head.mask > 0
    nowhere = np.zeros((HEIGHT, WIDTH), bool)
    everywhere = ~nowhere

    def drawn(depth: DepthPatch | None) -> tuple[np.ndarray, np.ndarray]:
        """Where a body shows in a picture that looks like the room all over, and what is covered."""
        cover = changed(a, masks=(encode_mask(speck, 0, 0),), depth=depth)
        out, covered = cover_frame(room(), [cover], CAMERA, plate=plate, foreground=Foreground(plate))
        return np.abs(out.astype(int) - room()).max(axis=2) > 15, covered

    by_colour, covered = drawn(None)
    assert by_colour[body & ~at_head].mean() < 0.1
    here, covered_here = drawn(sensed(a, nowhere))
    assert here[body].mean() > 0.95, "somebody is there, whatever their clothes look like"
    in_front, covered_behind = drawn(sensed(a, everywhere))
    assert in_front[body & ~at_head].mean() < 0.1
    # Whatever a sensor says: of a head nothing is given away, and nothing less is covered.
    assert in_front[body & at_head].mean() > 0.95
    for with_depth in (covered_here, covered_behind):
        assert (with_depth | ~covered).all()


def test_a_small_thing_that_a_sensor_has_in_front_stays_in_front() -> None:
    a, real = person(standing())
    x, y = (int(v) for v in a.keypoints.xy[INDEX["left_hip"]])  # type: ignore[union-attr]
    tray = np.zeros((HEIGHT, WIDTH), bool)
    tray[y : y + 12, x - 8 : x + 9] = True
    empty = room()
    empty[tray] = TABLE
    seen = real & ~tray
    frame = with_people(empty, seen)
    plate = Plate(empty, np.ones((HEIGHT, WIDTH), bool), 1.0)

    def shown(depth: DepthPatch | None) -> float:
        cover = changed(a, masks=(encode_mask(seen, 0, 0),), depth=depth)
        out = cover_frame(frame, [cover], CAMERA, plate=plate, foreground=Foreground(plate))[0]
        return float((np.abs(out[tray].astype(int) - TABLE).max(axis=1) <= 3).mean())

    assert shown(None) < 0.1
    assert shown(sensed(a, tray)) > 0.4
