"""Which limbs are believed, and how a body fades where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_room import BODY, CAMERA, HEIGHT, WIDTH, changed, person, room, skin, standing, with_people

from backends.body import posed_joints
from backends.body.skeleton import JOINT_INDEX
from backends.deidentify import How, cover_frame
from backends.deidentify.belief import N_PIECES, limb_belief, limb_support, limb_vertices, stands_out
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Source
from backends.masks import encode_mask

LEFT_LEG = slice(0, 10)


def cut(real: np.ndarray, row: int) -> np.ndarray:
    seen = real.copy()
    seen[row:] = False
    return seen


def test_pieces_are_believed_as_far_as_the_mask_holds_them() -> None:
    params = standing()
    a, real = person(params)
    assert a.keypoints is not None
    joints = posed_joints(BODY, params)
    knee = int(a.keypoints.xy[INDEX["left_knee"], 1])
    whole = limb_support(joints, CAMERA, a.keypoints, a.masks, None)
    assert (limb_belief([whole], [1.0]) == 1).all()
    support = limb_support(joints, CAMERA, a.keypoints, (encode_mask(cut(real, knee), 0, 0),), None)
    belief = limb_belief([support], [1.0])
    assert (belief[:4] == 1).all()
    assert (belief[5:10] == 0).all()
    # Where a large error is expected, a piece that the mask hardly holds is not believed.
    mm = np.full(23, 500.0, np.float32)
    assert np.nanmax(limb_support(joints, CAMERA, a.keypoints, a.masks, mm)) <= 0.5


def test_what_lies_outside_of_the_picture_is_as_what_lies_before_it() -> None:
    params = standing(lift=-0.3)
    a, _ = person(params)
    assert a.keypoints is not None
    support = limb_support(posed_joints(BODY, params), CAMERA, a.keypoints, a.masks, None)
    assert np.isnan(support[9])
    belief = limb_belief([support], [1.0])
    assert np.isfinite(belief).all()
    assert belief[9] == belief[LEFT_LEG][~np.isnan(support[LEFT_LEG])][-1]
    nothing = np.full(N_PIECES, np.nan, np.float32)
    assert (limb_belief([nothing], [1.0]) == 1).all()


def test_a_short_hole_is_closed_and_a_long_one_is_not() -> None:
    strap, table = np.ones((2, N_PIECES), np.float32)
    strap[4:7] = 0
    table[3:8] = 0
    assert (limb_belief([strap], [1.0]) == 1).all()
    assert (limb_belief([table], [1.0])[3:8] == 0).all()


def test_head_and_trunk_are_always_believed() -> None:
    belief = limb_vertices(BODY).belief(np.zeros(N_PIECES, np.float32))
    trunk = np.isin(BODY.part_of_vertex, [JOINT_INDEX[n] for n in ("spine2", "spine3", "head", "neck")])
    assert (belief[BODY.head_vertices] == 1).all()
    assert belief[trunk].mean() > 0.97
    shins = np.isin(BODY.part_of_vertex, [JOINT_INDEX["left_knee"], JOINT_INDEX["right_wrist"]])
    assert belief[shins].max() < 0.3
    assert (limb_vertices(BODY).belief(np.ones(N_PIECES, np.float32)) == 1).all()


def test_what_is_not_believed_is_covered_and_not_drawn() -> None:
    a, real = person(standing())
    assert a.keypoints is not None
    waist, knee = (int(a.keypoints.xy[INDEX[n], 1]) for n in ("left_hip", "left_knee"))
    seen = cut(real, waist + 6)
    pieces = np.ones(N_PIECES, np.float32)
    pieces[[*range(10), *range(20, 30)]] = 0  # both legs
    behind = changed(a, masks=(encode_mask(seen, 0, 0),))
    doubted = changed(behind, belief=limb_vertices(BODY).belief(pieces))
    frame = with_people(room(), seen)
    out, covered = cover_frame(frame, [doubted], CAMERA, plate=None)
    whole, covered_whole = cover_frame(frame, [behind], CAMERA, plate=None)
    assert (covered == covered_whole).all()
    assert not skin(out).any()
    gone = cover_frame(frame, [changed(behind, how=How("whole", "remove"))], CAMERA, plate=None)[0]
    legs = np.abs(out[knee:].astype(int) - gone[knee:]).max(axis=2)
    assert legs.max() <= 8
    assert (np.abs(whole[knee:].astype(int) - gone[knee:]).max(axis=2) > 15).sum() > 200
    above = slice(0, waist - 20)
    # But for the room's light on a body of another size.
    np.testing.assert_allclose(out[above].astype(int), whole[above], atol=8)


def test_a_body_fades_without_a_hard_edge() -> None:
    a, _ = person(standing())
    assert a.mesh is not None
    belief = np.clip((0.3 - a.mesh.vertices[:, 1]) / 0.4 + 0.5, 0, 1).astype(np.float32)
    out = cover_frame(room(), [changed(a, belief=belief)], CAMERA, plate=None)[0]
    gone = cover_frame(room(), [changed(a, how=How("whole", "remove"))], CAMERA, plate=None)[0]
    column = int(np.median(CAMERA.project(a.mesh.vertices)[:, 0])) + 9
    change = np.abs(out[:, column].astype(int) - gone[:, column]).max(axis=1)
    steps = np.abs(np.diff(change[change > 0][: HEIGHT // 2].astype(int)))
    assert change.max() > 40
    assert steps[20:].max() < 30


def test_a_guess_hides_nobody_behind_it_but_stays_before_who_is_spared() -> None:
    near, _ = person(standing(0.0, 2.6))
    far, real = person(standing(0.05, 3.4))
    assert far.keypoints is not None
    assert near.mesh is not None
    doubted = changed(near, belief=np.zeros(len(near.mesh.vertices), np.float32), masks=())
    alone, _ = cover_frame(room(), [far], CAMERA, plate=None)
    out, covered = cover_frame(room(), [doubted, far], CAMERA, plate=None)
    body = slice(HEIGHT // 3, HEIGHT // 2), slice(WIDTH // 2 - 6, WIDTH // 2 + 6)
    assert np.abs(out[body].astype(int) - alone[body]).max() <= 1
    frame = with_people(room(), real)
    spared = changed(far, how=None)
    _, covered = cover_frame(frame, [doubted, spared], CAMERA, plate=None)
    _, covered_before = cover_frame(frame, [changed(doubted, belief=None), spared], CAMERA, plate=None)
    assert (covered == covered_before).all()


LEGS = np.r_[0:10, 20:30]


def plain(level: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


def painted(real: np.ndarray, wall: int, person: int) -> np.ndarray:
    image = plain(wall)
    image[real] = person
    return image


def test_a_leg_ends_at_its_sides_and_a_drape_goes_on() -> None:
    params = standing(z=4.6)
    a, real = person(params)
    assert a.keypoints is not None
    joints = posed_joints(BODY, params)
    leg = stands_out(joints, CAMERA, painted(real, 200, 90), a.keypoints)
    drape = stands_out(joints, CAMERA, plain(90), a.keypoints)
    assert (leg == 1).all()
    assert (drape[LEGS] == 0).all()
    assert (np.delete(drape, LEGS) == 1).all()  # of arms nothing is said: they cross a chest of their colour


def test_in_the_dark_less_of_a_difference_is_one() -> None:
    params = standing(z=4.6)
    a, real = person(params)
    assert a.keypoints is not None
    joints = posed_joints(BODY, params)
    assert (stands_out(joints, CAMERA, painted(real, 33, 24), a.keypoints)[LEGS] == 1).mean() > 0.8
    assert stands_out(joints, CAMERA, painted(real, 209, 200), a.keypoints)[LEGS].max() < 0.5


def test_what_a_person_has_placed_and_what_lies_outside_is_not_doubted() -> None:
    params = standing(z=4.6)
    a, _ = person(params)
    assert a.keypoints is not None
    joints = posed_joints(BODY, params)
    source = a.keypoints.source.copy()
    source[INDEX["left_ankle"]] = Source.PERSON
    found = stands_out(joints, CAMERA, plain(90), replace(a.keypoints, source=source))
    assert found[8] == 1
    assert found[28] == 0
    assert (stands_out(joints + np.array([0, 50, 0]), CAMERA, plain(90), a.keypoints) == 1).all()
    broken = stands_out(np.full_like(joints, np.nan), CAMERA, plain(90), a.keypoints)
    assert (broken == 1).all()
