"""What must go is gone, what may stay stays."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import pytest
from small_room import (
    BODY,
    CAMERA,
    HEAD_FACES,
    HEIGHT,
    WIDTH,
    changed,
    person,
    room,
    skin,
    standing,
    with_people,
)

from backends.background import Plate
from backends.body import posed_keypoints, posed_vertices
from backends.camera import Camera
from backends.deidentify import How, PersonCover, head_region, person_region
from backends.deidentify import cover_frame as cover_each
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints
from backends.masks import CropMask
from backends.render import Mesh, rasterize

Fill = Literal["mesh", "solid", "pixels", "remove", "blur"]
What = Literal["whole", "head", "face"]


def cover_frame(
    frame: np.ndarray, covers: list[PersonCover], camera: Camera, *, cover: What, fill_with: Fill,
    plate: Plate | None, phase: tuple[float, float] = (0.0, 0.0),
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Everybody in the same way."""
    alike = [changed(c, how=How(cover, fill_with)) for c in covers]
    return cover_each(frame, alike, camera, plate=plate, phase=phase)


@pytest.mark.parametrize("fill_with", ["mesh", "solid"])
@pytest.mark.parametrize("use_plate", [True, False])
def test_not_one_pixel_of_a_person_is_left(fill_with: Fill, use_plate: bool) -> None:
    a, real_a = person(standing(-0.5))
    b, real_b = person(standing(0.6, 4.0))
    empty = room()
    frame = with_people(empty, real_a, real_b)
    before = frame.copy()
    plate = Plate(empty, np.ones((HEIGHT, WIDTH), bool), 1.0) if use_plate else None
    out, covered = cover_frame(frame, [a, b], CAMERA, cover="whole", fill_with=fill_with, plate=plate)
    np.testing.assert_array_equal(frame, before)
    assert covered[real_a | real_b].all()
    assert not skin(out).any()
    far = cv2.dilate(covered.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    np.testing.assert_array_equal(out[far], frame[far])


def test_over_the_empty_room_nothing_is_left_but_the_body() -> None:
    a, real = person(standing())
    empty = room()
    plate = Plate(empty, np.ones((HEIGHT, WIDTH), bool), 1.0)
    out, _ = cover_frame(with_people(empty, real), [a], CAMERA, cover="whole", fill_with="mesh", plate=plate)
    assert a.mesh is not None
    body = rasterize([a.mesh], CAMERA).coverage > 0
    assert np.abs(out[~body].astype(int) - empty[~body]).max() <= 2
    assert np.abs(out[body].astype(int) - empty[body]).mean() > 20


def test_the_empty_room_takes_the_light_of_the_frame() -> None:
    a, real = person(standing())
    empty = room()
    plate = Plate(empty, np.ones((HEIGHT, WIDTH), bool), 1.0)
    dim = (empty * 0.8).astype(np.uint8)
    erased = changed(a, mesh=None)
    out, _ = cover_frame(
        with_people(dim, real), [erased], CAMERA, cover="whole", fill_with="mesh", plate=plate
    )
    assert np.abs(out.astype(int) - dim).max() <= 3


def test_a_person_without_body_is_erased_when_bodies_are_shown() -> None:
    a, real = person(standing())
    out, covered = cover_frame(
        with_people(room(), real), [changed(a, mesh=None, head_xy=None)], CAMERA, cover="whole",
        fill_with="mesh", plate=None,
    )  # fmt: skip
    assert covered[real].all()
    assert not skin(out).any()


def test_of_two_people_the_nearer_is_drawn_in_front_whatever_the_order() -> None:
    near, _ = person(standing(0.0, 2.6))
    far, _ = person(standing(0.15, 4.5, lift=0.2))
    assert near.mesh is not None
    assert far.mesh is not None
    near = changed(near, mesh=Mesh(near.mesh.vertices, BODY.faces, (250, 60, 60)))
    far = changed(far, mesh=Mesh(far.mesh.vertices, BODY.faces, (60, 60, 250)))
    assert near.mesh is not None
    inside = rasterize([near.mesh], CAMERA).coverage == 1.0
    first = cover_frame(room(), [near, far], CAMERA, cover="whole", fill_with="mesh", plate=None)[0]
    other = cover_frame(room(), [far, near], CAMERA, cover="whole", fill_with="mesh", plate=None)[0]
    for out in (first, other):
        assert (out[inside][:, 0].astype(int) > out[inside][:, 2]).all()
        assert (out[..., 2].astype(int) - out[..., 0] > 60).any()


@pytest.mark.parametrize("fill_with", ["mesh", "solid", "pixels"])
def test_covering_the_head_leaves_the_rest_as_it_is(fill_with: Fill) -> None:
    a, real = person(standing())
    frame = with_people(room(), real)
    out, covered = cover_frame(frame, [a], CAMERA, cover="head", fill_with=fill_with, plate=None)
    assert a.head_xy is not None
    low, high = a.head_xy.min(axis=0), a.head_xy.max(axis=0)
    head = np.zeros((HEIGHT, WIDTH), bool)
    head[int(low[1]) : int(high[1]) + 1, int(low[0]) : int(high[0]) + 1] = True
    head = cv2.dilate(head.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert covered[head & real].all()
    knees = slice(round(float(a.keypoints.xy[INDEX["left_knee"], 1])), None)  # type: ignore[union-attr]
    np.testing.assert_array_equal(out[knees], frame[knees])


@pytest.mark.parametrize("phase", [(0.0, 0.0), (0.4, 0.9)])
def test_cells_over_a_head_are_too_few_to_recognise_anybody(phase: tuple[float, float]) -> None:
    a, _ = person(standing(z=1.6, lift=-0.5))
    rng = np.random.default_rng(5)
    frame = rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    out, covered = cover_frame(frame, [a], CAMERA, cover="head", fill_with="pixels", plate=None, phase=phase)
    assert a.head_xy is not None
    low, high = a.head_xy.min(axis=0).astype(int), a.head_xy.max(axis=0).astype(int)
    window = slice(max(low[1], 0), high[1]), slice(max(low[0], 0), high[0])
    assert min(out[window].shape[:2]) > 30
    # The corners of the head's box are not head.
    assert covered[window].mean() > 0.9
    colors = np.unique(out[window][covered[window]], axis=0)
    assert len(colors) <= 16


@pytest.mark.parametrize(
    "known",
    [
        {"masks": (), "mesh": None, "head_xy": None},
        {"keypoints": None, "mesh": None, "head_xy": None},
        {"keypoints": None, "masks": (), "mesh": None, "head_xy": None},
        {"keypoints": None, "masks": ()},
    ],
)
def test_however_little_is_known_something_is_covered(known: dict[str, object]) -> None:
    cover = changed(person(standing())[0], **known)
    whole = person_region(cover, None, WIDTH, HEIGHT)
    head = head_region(cover, WIDTH, HEIGHT)
    assert whole is not None
    assert head is not None
    nose = person(standing())[0].keypoints.xy[INDEX["nose"]].round().astype(int)  # type: ignore[union-attr]
    for region in (whole, head):
        assert region.mask[nose[1] - region.y0, nose[0] - region.x0] == 255


def test_a_head_without_any_face_keypoint_and_without_body_is_still_covered() -> None:
    cover = person(standing())[0]
    keypoints = cover.keypoints
    assert keypoints is not None
    nose = keypoints.xy[INDEX["nose"]].round().astype(int)
    hidden = keypoints.visibility.copy()
    hidden[:5] = 0
    unseen = Keypoints(keypoints.xy, keypoints.score, hidden, keypoints.source)
    head = head_region(changed(cover, keypoints=unseen, mesh=None, head_xy=None), WIDTH, HEIGHT)
    assert head is not None
    assert head.mask[nose[1] - head.y0, nose[0] - head.x0] == 255


def test_a_guess_is_covered_wider_by_its_slack() -> None:
    cover = person(standing())[0]
    for region_of in (
        lambda c: person_region(c, None, WIDTH, HEIGHT),
        lambda c: head_region(c, WIDTH, HEIGHT),
    ):
        sure, guessed = region_of(cover), region_of(changed(cover, slack=12.0))
        assert sure is not None
        assert guessed is not None
        full = np.zeros((HEIGHT, WIDTH), np.uint8)
        full[sure.window] = sure.mask
        wide = cv2.dilate(full, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (21, 21))) > 0
        found = np.zeros((HEIGHT, WIDTH), bool)
        found[guessed.window] = guessed.mask > 0
        assert found[wide].mean() > 0.995


def test_people_cut_by_the_border_or_outside_are_no_trouble() -> None:
    frame = room()
    for x in (-1.4, 1.4, -30.0):
        vertices = posed_vertices(BODY, standing(x)).astype(np.float32)
        xy = CAMERA.project(posed_keypoints(BODY, standing(x))).astype(np.float32)
        keypoints = Keypoints(
            xy, np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8)
        )
        head = CAMERA.project(vertices[BODY.head_vertices]).astype(np.float32)
        mesh = Mesh(vertices, BODY.faces, (180, 190, 200))
        box = np.array([*xy.min(axis=0), *xy.max(axis=0)], np.float32)
        outside = CropMask(WIDTH + 5, 3, 2, 2, np.array([0, 4], np.uint32))
        cover = PersonCover(box, keypoints, (outside,), mesh, HEAD_FACES, head, 250.0)
        for what in ("whole", "head"):
            for fill_with in ("mesh", "solid", "pixels"):
                out, _ = cover_frame(
                    frame,
                    [cover],
                    CAMERA,
                    cover=what,
                    fill_with=fill_with,
                    plate=None,  # type: ignore[arg-type]
                )
                assert out.shape == frame.shape


def test_places_that_are_not_numbers_are_left_out() -> None:
    cover = person(standing())[0]
    assert cover.keypoints is not None
    xy = cover.keypoints.xy.copy()
    xy[3] = np.nan
    xy[4] = 1e9
    broken = Keypoints(xy, cover.keypoints.score, cover.keypoints.visibility, cover.keypoints.source)
    out, covered = cover_frame(
        room(), [changed(cover, keypoints=broken)], CAMERA, cover="whole", fill_with="solid", plate=None
    )
    assert covered.any()
    assert np.isfinite(out).all()


def test_nobody_to_cover_changes_nothing() -> None:
    frame = room()
    out, covered = cover_frame(frame, [], CAMERA, cover="whole", fill_with="mesh", plate=None)
    np.testing.assert_array_equal(out, frame)
    assert not covered.any()
