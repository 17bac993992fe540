"""Each person in their own way, spared people, free areas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from small_room import BODY, CAMERA, HEIGHT, WIDTH, changed, person, room, skin, standing, with_people

from backends.background import Plate
from backends.deidentify import FreeArea, How, cover_frame, face_region, head_region
from backends.deidentify.fills import SOLID_RGB
from backends.keypoints.layout import INDEX
from backends.render import Mesh, rasterize


def plate() -> Plate:
    return Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)


def test_everybody_can_be_covered_in_another_way_in_one_picture() -> None:
    a, real_a = person(standing(-1.4, 6.0))
    b, real_b = person(standing(0.0, 6.0))
    c, real_c = person(standing(1.4, 6.0))
    frame = with_people(room(), real_a, real_b, real_c)
    out, covered = cover_frame(
        frame,
        [changed(a, how=How("whole", "solid")), changed(b, how=How("head", "pixels")), changed(c, how=None)],
        CAMERA, plate=None,
    )  # fmt: skip
    assert covered[real_a].all()
    assert (out[real_a] == SOLID_RGB).all()
    head = head_region(b, WIDTH, HEIGHT)
    assert head is not None
    assert covered[head.window][head.mask > 0].all()
    feet = real_b.copy()
    feet[: int(b.keypoints.xy[INDEX["left_hip"], 1])] = False  # type: ignore[union-attr]
    assert not covered[feet].any()
    np.testing.assert_array_equal(out[real_c], frame[real_c])


@pytest.mark.parametrize("use_plate", [True, False])
def test_whoever_is_removed_leaves_the_room_and_no_body(use_plate: bool) -> None:
    a, real = person(standing())
    out, covered = cover_frame(
        with_people(room(), real), [changed(a, how=How("whole", "remove"))], CAMERA,
        plate=plate() if use_plate else None,
    )  # fmt: skip
    assert covered[real].all()
    assert not skin(out).any()
    assert np.abs(out.astype(int) - room()).max() <= (2 if use_plate else 40)


def test_a_blur_is_soft_and_still_takes_the_whole_head() -> None:
    a, real = person(standing(z=1.8, lift=-0.4))
    frame = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    out, covered = cover_frame(frame, [changed(a, how=How("head", "blur"))], CAMERA, plate=None)
    assert covered.any()
    inside = cv2.erode(covered.view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert out[inside].std() < 0.2 * frame[inside].std()
    np.testing.assert_array_equal(out[HEIGHT - 20 :], frame[HEIGHT - 20 :])
    assert real.any()


def test_a_face_is_less_than_a_head_and_holds_eyes_nose_and_chin() -> None:
    a, _ = person(standing(z=1.8, lift=-0.4))
    face, head = face_region(a, WIDTH, HEIGHT), head_region(a, WIDTH, HEIGHT)
    assert face is not None
    assert head is not None
    assert 0.25 < (face.mask > 0).sum() / (head.mask > 0).sum() < 0.9
    for cover in (a, changed(a, keypoints=None), changed(a, face_xy=None)):
        region = face_region(cover, WIDTH, HEIGHT)
        assert region is not None
        full = np.zeros((HEIGHT, WIDTH), bool)
        full[region.window] = region.mask > 0
        for name in ("nose", "left_eye", "right_eye"):
            x, y = a.keypoints.xy[INDEX[name]].round().astype(int)  # type: ignore[union-attr]
            assert full[y, x]
        assert a.face_xy is not None
        x, y = a.face_xy[np.argmax(a.face_xy[:, 1])].round().astype(int)
        assert full[y - 2, x]


def test_a_face_of_which_nothing_is_known_is_covered_as_a_head() -> None:
    a, _ = person(standing())
    bare = changed(a, keypoints=None, face_xy=None)
    face, head = face_region(bare, WIDTH, HEIGHT), head_region(bare, WIDTH, HEIGHT)
    assert face is not None
    assert head is not None
    np.testing.assert_array_equal(face.mask, head.mask)


def test_a_face_larger_than_the_frame_covers_the_frame() -> None:
    a, _ = person(standing())
    huge = np.array([[-900, -900], [1400, -900], [1400, 1300], [-900, 1300]], np.float32)
    for what in ("face", "head"):
        big = changed(
            a, how=How(what, "solid"), head_xy=huge, face_xy=huge, size=4000.0,  # type: ignore[arg-type]
            box=np.array([-900, -900, 1400, 3000], np.float32), keypoints=None, masks=(), mesh=None,
        )  # fmt: skip
        out, covered = cover_frame(room(), [big], CAMERA, plate=None)
        assert covered.all()
        assert (out == SOLID_RGB).all()


SQUARE = np.array([[100, 80], [160, 80], [160, 140], [100, 140]], np.float32)


@pytest.mark.parametrize("fill", ["solid", "pixels", "remove", "blur"])
def test_a_free_area_is_covered_whoever_is_there(fill: str) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    out, covered = cover_frame(
        frame, [], CAMERA, plate=plate(), areas=[FreeArea(SQUARE, fill)]  # type: ignore[arg-type]
    )  # fmt: skip
    assert covered[80:141, 100:161].all()
    assert int(covered.sum()) == 61 * 61
    assert out[84:136, 104:156].std() < 0.6 * frame[84:136, 104:156].std()
    np.testing.assert_array_equal(out[:70], frame[:70])
    np.testing.assert_array_equal(out[:, 170:], frame[:, 170:])


def test_a_free_area_far_outside_or_not_a_number_is_no_trouble() -> None:
    frame = room()
    for points in (SQUARE + 1e6, np.full((4, 2), np.nan, np.float32), SQUARE - 5000):
        out, covered = cover_frame(
            frame, [], CAMERA, plate=None, areas=[FreeArea(points.astype(np.float32), "solid")]
        )
        np.testing.assert_array_equal(out, frame)
        assert not covered.any()
    across = SQUARE * 1000 - 120_000
    _, covered = cover_frame(frame, [], CAMERA, plate=None, areas=[FreeArea(across, "solid")])
    assert covered.all()


def test_a_body_stands_before_a_covered_monitor_and_under_what_an_audit_had_covered() -> None:
    a, real = person(standing())
    frame = with_people(room(), real)
    body = rasterize([a.mesh], CAMERA).coverage == 1.0  # type: ignore[list-item]
    everywhere = np.array([[-5, -5], [600, -5], [600, 600], [-5, 600]], np.float32)
    below, _ = cover_frame(frame, [a], CAMERA, plate=None, areas=[FreeArea(everywhere, "solid")])
    assert (below[~real & ~body] == SOLID_RGB).all()
    assert (below[body] != SOLID_RGB).any(axis=1).mean() > 0.9
    above, _ = cover_frame(frame, [a], CAMERA, plate=None, areas=[FreeArea(everywhere, "solid", on_top=True)])
    assert (above == SOLID_RGB).all()


def test_cells_over_a_person_hold_nothing_of_a_covered_monitor() -> None:
    a, real = person(standing())
    frame = room()
    frame[:, :] = (0, 255, 0)
    everywhere = np.array([[-5, -5], [600, -5], [600, 600], [-5, 600]], np.float32)
    out, covered = cover_frame(
        frame, [changed(a, how=How("whole", "pixels"))], CAMERA, plate=None,
        areas=[FreeArea(everywhere, "solid")],
    )  # fmt: skip
    assert covered.all()
    assert real.any()
    assert (out == SOLID_RGB).all()


def test_somebody_spared_stays_before_a_covered_person_and_shows_nothing_of_them() -> None:
    near, real_near = person(standing(0.0, 2.4))
    far, real_far = person(standing(0.25, 4.5, lift=0.3))
    frame = room()
    frame[real_far] = (255, 0, 255)
    frame[real_near] = (255, 255, 0)
    hidden = real_far & ~real_near
    # What can be seen of the farther one; the nearer one hides the rest.
    seen_far = changed(far, masks=(mask_of(hidden),))
    out, covered = cover_frame(frame, [changed(near, how=None), seen_far], CAMERA, plate=plate())
    assert covered[hidden].all()
    assert not skin(out).any()
    yellow = (out == (255, 255, 0)).all(axis=-1)
    head = head_region(far, WIDTH, HEIGHT)
    assert head is not None
    at_head = np.zeros((HEIGHT, WIDTH), bool)
    at_head[head.window] = head.mask > 0
    inside = cv2.erode((real_near & ~at_head).view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert yellow[inside].mean() > 0.88


def test_a_body_is_not_shown_before_a_nearer_person_who_is_solid() -> None:
    near, _ = person(standing(0.0, 2.6))
    far, real_far = person(standing(0.1, 4.5, lift=0.3))
    red = Mesh(far.mesh.vertices, BODY.faces, (250, 40, 40))  # type: ignore[union-attr]
    out, _ = cover_frame(
        room(), [changed(near, how=How("whole", "solid")), changed(far, mesh=red)], CAMERA, plate=plate()
    )
    inside = rasterize([near.mesh], CAMERA).coverage == 1.0  # type: ignore[list-item]
    assert (inside & real_far).any()
    assert (out[inside] == SOLID_RGB).all()


def mask_of(pixels: np.ndarray) -> object:
    from backends.masks import encode_mask

    return encode_mask(pixels, 0, 0)


@pytest.mark.parametrize("fill", ["mesh", "remove"])
@pytest.mark.parametrize("use_plate", [True, False])
def test_the_empty_room_behind_a_person_shows_nothing_of_a_covered_board(fill: str, use_plate: bool) -> None:
    board = (255, 255, 0)
    a, real = person(standing())
    empty = room()
    empty[60:200, 180:300] = board
    area = FreeArea(np.array([[176, 56], [304, 56], [304, 204], [176, 204]], np.float32), "solid")
    seen = Plate(empty, np.ones((HEIGHT, WIDTH), bool), 1.0) if use_plate else None
    out, covered = cover_frame(
        with_people(empty, real),
        [changed(a, how=How("whole", fill))],
        CAMERA,
        plate=seen,
        areas=[area],  # type: ignore[arg-type]
    )
    assert covered[60:200, 180:300].all()
    shown = out.astype(int)
    yellow = (shown[..., 0] - shown[..., 2] > 60) & (shown[..., 1] - shown[..., 2] > 60)
    assert not yellow.any()
