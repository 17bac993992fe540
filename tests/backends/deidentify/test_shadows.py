"""Soft shadows under the feet of bodies."""

from __future__ import annotations

import numpy as np
from small_room import BODY, CAMERA, HEIGHT, WIDTH, changed, person, room, standing

from backends.background import Plate
from backends.deidentify import How, PersonCover, cover_frame
from backends.deidentify.shadows import cast_shadows, feet_of, soles


def stood() -> PersonCover:
    a, _ = person(standing(z=5.0))
    assert a.mesh is not None
    left, right = (np.asarray(a.mesh.vertices)[f] for f in soles(BODY))
    return changed(a, feet=feet_of((left, right), CAMERA, (1.0, 1.0)))


def test_the_ground_darkens_softly_under_the_feet_and_nowhere_else() -> None:
    a, white = stood(), np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    assert a.keypoints is not None
    cast_shadows(white, [a], CAMERA)
    dark = 200 - white[..., 0].astype(int)
    rows, columns = np.nonzero(dark > 4)
    ankle = a.keypoints.xy[[15, 16]].mean(axis=0)
    assert 40 < dark.max() < 150
    assert np.hypot(columns.mean() - ankle[0], rows.mean() - ankle[1]) < 25
    assert rows.min() > ankle[1] - 20
    assert np.ptp(columns) < 130
    assert np.abs(np.diff(dark, axis=1)).max() < 40


def test_only_where_feet_are_believed_and_somebody_is_shown_whole_over_the_room() -> None:
    a, white = stood(), np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    assert a.feet is not None
    doubted = a.feet.copy()
    doubted[:, 3] = 0
    hidden = [
        changed(a, feet=None), changed(a, feet=doubted), changed(a, drawn=False), changed(a, how=None),
        changed(a, how=How("whole", "remove")), changed(a, how=How("head", "mesh")),
        changed(a, feet=np.full((2, 4), np.nan, np.float32)),
    ]  # fmt: skip
    cast_shadows(white, hidden, CAMERA)
    assert (white == 200).all()
    plate = Plate(room(), np.ones((HEIGHT, WIDTH), bool), 1.0)
    shown, covered = cover_frame(room(), [a], CAMERA, plate=plate)
    without, covered_without = cover_frame(room(), [changed(a, feet=None)], CAMERA, plate=plate)
    assert (shown != without).any()
    assert (covered == covered_without).all()
    over = [cover_frame(room(), [p], CAMERA, plate=None)[0] for p in (a, changed(a, feet=None))]
    assert (over[0] == over[1]).all()


def test_a_lifted_foot_casts_less() -> None:
    a = stood()
    assert a.mesh is not None
    vertices = np.asarray(a.mesh.vertices).copy()
    left, right = soles(BODY)
    vertices[left, 1] -= 0.3
    feet = feet_of((vertices[left], vertices[right]), CAMERA, (1.0, 0.8))
    assert feet[0, 3] < 0.05
    assert feet[1, 3] == np.float32(0.8)


def test_feet_at_the_border_or_beyond_it_do_no_harm() -> None:
    white = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    for x, z in ((-2.4, 3.2), (0.0, 0.4), (0.0, -1.0), (60.0, 3.0)):
        feet = np.array([[x, 0.9, z, 1.0]] * 2, np.float32)
        cast_shadows(white, [changed(stood(), feet=feet)], CAMERA)
    assert white.min() > 40


def test_the_ground_seen_from_above_takes_a_rounder_shadow() -> None:
    a, shapes = stood(), []
    tilt = np.radians(40)
    for up in (None, np.array([0.0, -np.cos(tilt), -np.sin(tilt)])):
        white = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
        cast_shadows(white, [a], CAMERA, up)
        rows, columns = np.nonzero(white[..., 0] < 190)
        shapes.append(np.ptp(rows) / np.ptp(columns))
    assert shapes[1] > 1.5 * shapes[0]
