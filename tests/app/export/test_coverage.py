"""Where people are guessed to be between the frames they were found in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import theatre
from scipy.spatial.transform import Rotation
from theatre import N, make_theatre

from app.export.between import interpolate, move_mask
from app.export.coverage import Whereabouts
from app.export.frames import FrameCoverer
from app.project.notes import set_followed
from app.review.types import DeidSettings
from backends.background import Plate
from backends.body import BodyParams
from backends.masks import encode_mask


def test_joints_turn_at_an_even_pace() -> None:
    rng = np.random.default_rng(2)
    a = BodyParams(np.zeros(3), rng.normal(0, 0.8, (55, 3)), np.zeros(3))
    b = BodyParams(np.ones(3), rng.normal(0, 0.8, (55, 3)), np.array([1.0, 2.0, 4.0]))
    for share in (0.0, 0.3, 1.0):
        middle = interpolate(a, b, share)
        start, here = Rotation.from_rotvec(a.pose), Rotation.from_rotvec(middle.pose)
        whole = (start.inv() * Rotation.from_rotvec(b.pose)).magnitude()
        np.testing.assert_allclose((start.inv() * here).magnitude(), share * whole, atol=1e-9)
        np.testing.assert_allclose(middle.transl, share * b.transl)
        np.testing.assert_allclose(middle.betas, share)


def test_a_turn_past_half_a_circle_goes_the_short_way() -> None:
    a, b = BodyParams.rest(2), BodyParams.rest(2)
    a.pose[0], b.pose[0] = (0, 3.0, 0), (0, -3.0, 0)
    middle = Rotation.from_rotvec(interpolate(a, b, 0.5).pose[0])
    assert middle.magnitude() == pytest.approx(np.pi, abs=1e-6)


@pytest.mark.parametrize(("dx", "dy"), [(5, 3), (-2, -1), (-12, -14), (-30, 0)])
def test_a_moved_mask_is_the_mask_moved(dx: int, dy: int) -> None:
    crop = np.random.default_rng(0).random((9, 14)) > 0.4
    mask = encode_mask(crop, 6, 8)
    before, expected = np.zeros((40, 50), bool), np.zeros((40, 50), bool)
    mask.paint(before)
    for y, x in zip(*np.nonzero(before)):
        if 0 <= y + dy < 40 and 0 <= x + dx < 50:
            expected[y + dy, x + dx] = True
    found = np.zeros((40, 50), bool)
    moved = move_mask(mask, dx, dy)
    if moved is not None:
        moved.paint(found)
    np.testing.assert_array_equal(found, expected)


def test_a_guess_lies_on_the_way_and_owns_its_doubt(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(1,))
    stage.run({1: [*range(4, 8), *range(16, 20)]})
    where = Whereabouts(stage.store, stage.footage.fps)
    for frame in range(N):
        (found,) = where.at(frame) or (None,)
        if frame in (4, 7, 16, 19):
            assert found is not None
            assert found.slack == 0.0
            continue
        assert found is not None, frame
        truth = theatre.record(1, frame)
        middle = found.box.reshape(2, 2).mean(axis=0)
        np.testing.assert_allclose(middle, truth.estimate.box.reshape(2, 2).mean(axis=0), atol=6.0)
        if 4 <= frame < 20:
            assert found.drawn
        else:
            # Nobody knows whether they are there: erased, but no body shown.
            assert not found.drawn
        if frame not in (5, 6, 17, 18):
            assert found.slack > 0
            assert found.masks
    assert where.lost(10) == []
    stage.store.close()
    stage.footage.close()


def test_the_frames_of_a_guess_are_those_that_are_told(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(2,), n=120)
    stage.run({2: [*range(10, 14), *range(24, 28), *range(100, 104)]}, last=119)
    where = Whereabouts(stage.store, stage.footage.fps)
    told = where.predicted(2).tolist()
    found = [f for f in range(120) if where.at(f) and where.at(f)[0].slack > 0]
    # Beside a stored frame the guess is so near that it owns no doubt.
    assert set(found) <= set(told)
    everywhere = [f for f in range(120) if where.at(f)]
    stored = [*range(10, 14), *range(24, 28), *range(100, 104)]
    assert sorted([*told, *stored]) == everywhere
    assert {14, 18, 23, 9, 28, 99, 104} <= set(told)
    assert not {0, 50, 119} & set(told)
    assert where.predicted(99).size == 0
    stage.store.close()
    stage.footage.close()


def test_before_and_after_a_track_people_are_guessed_for_as_long_as_is_asked(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(2,), n=80)
    stage.run({2: range(50, 60)}, last=79)
    short = Whereabouts(stage.store, stage.footage.fps)
    long = Whereabouts(stage.store, stage.footage.fps, lead_s=3.0)
    assert not short.at(10)
    (there,) = long.at(10)
    assert not there.drawn
    first = theatre.record(2, 50).estimate.box
    np.testing.assert_allclose(there.box.reshape(2, 2).mean(0), first.reshape(2, 2).mean(0), atol=8)
    assert long.at(75)
    stage.store.close()
    stage.footage.close()


def test_of_what_was_taken_for_no_person_only_what_was_brief_may_have_been_one(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(1, 2), n=30)
    stage.run({1: range(4), 2: range(24)}, last=29)
    stage.store.set_track_state([1, 2], "discarded")
    brief = Whereabouts(stage.store, 20.0, doubtful="brief")
    assert [p.track.track_id for p in brief.at(2)] == [1]
    every = Whereabouts(stage.store, 20.0, doubtful=True)
    assert [p.track.track_id for p in every.at(2)] == [1, 2]
    stage.store.close()
    stage.footage.close()


def test_a_hole_in_a_mask_for_a_moment_is_closed(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(1,))
    people = [theatre.record(1, f) for f in range(N)]
    whole = people[10].estimate.mask
    assert whole is not None
    torn = whole.decode().copy()
    torn[: len(torn) // 2] = False
    people[10] = replace(
        people[10], estimate=replace(people[10].estimate, mask=encode_mask(torn, whole.x0, whole.y0))
    )
    stage.store.store_chunk(0, N - 1, people, {})
    (presence,) = Whereabouts(stage.store, stage.footage.fps).at(10)
    (as_found,) = Whereabouts(stage.store, stage.footage.fps, closing=False).at(10)
    assert (len(presence.masks), len(as_found.masks)) == (2, 1)
    canvas, true = np.zeros((2, theatre.HEIGHT, theatre.WIDTH), bool)
    for mask in presence.masks:
        mask.paint(canvas)
    whole.paint(true)
    assert (canvas & true).sum() > 0.9 * true.sum()
    assert (canvas & ~true).sum() < 0.15 * true.sum()
    stage.store.close()
    stage.footage.close()


def test_what_the_tracker_took_for_no_person_is_erased_where_the_empty_room_is_known(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(1, 2))
    stage.run({1: range(3), 2: range(N)})
    stage.store.set_track_state([1], "discarded")
    assert [p.track.track_id for p in Whereabouts(stage.store, 20.0).at(1)] == [2]
    both = Whereabouts(stage.store, 20.0, doubtful=True)
    assert [(p.track.track_id, p.drawn) for p in both.at(1)] == [(2, True), (1, False)]
    assert [p.track.track_id for p in both.at(5)] == [2]
    assert both.n_people == 1
    frame = stage.footage.frame(1)
    empty = Plate(theatre.room(), np.ones((theatre.HEIGHT, theatre.WIDTH), bool), 1.0)
    over_the_picture = DeidSettings(fill="solid", background="original")
    for settings, room, gone in (
        (DeidSettings(), empty, True), (over_the_picture, empty, True), (over_the_picture, None, False),
    ):  # fmt: skip
        coverer = FrameCoverer(stage.store, theatre.BODY, theatre.CAMERA, settings, room)
        assert theatre.skin(coverer.cover(1, frame)).any() != gone
    stage.store.close()
    stage.footage.close()


def test_deleted_people_are_not_anywhere(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(1, 2))
    stage.run({1: range(N), 2: range(N)})
    stage.store.set_track_state([1], "deleted")
    where = Whereabouts(stage.store, stage.footage.fps)
    assert where.n_people == 1
    assert [p.track.track_id for p in where.at(3)] == [2]
    stage.store.close()
    stage.footage.close()


def test_who_was_followed_to_where_nobody_found_them_is_covered_there(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "c", people=(1,))
    stage.run({1: [20]})
    where = Whereabouts(stage.store, 20.0)
    assert where.at(2) == []
    assert where.followed(2) == []
    away = theatre.record(1, 2).estimate.box - theatre.record(1, 20).estimate.box
    by = [float(v) for v in (away[:2] + away[2:]) / 2]
    set_followed(stage.store, [[1, 20, 2, *by], [1, 20, 20, 0.0, 0.0], [7, 20, 2, *by], [1, 9, 2, *by]])
    where = Whereabouts(stage.store, 20.0)
    (found,) = where.followed(2)
    assert found.track.track_id == 1
    assert not found.drawn
    assert found.slack > 0
    expected = theatre.record(1, 20).estimate.box + np.array([*by, *by])
    np.testing.assert_allclose(found.box, expected, atol=1e-3)
    assert where.followed(20) == []
    over_the_picture = DeidSettings(fill="solid", background="original")
    coverer = FrameCoverer(stage.store, theatre.BODY, theatre.CAMERA, over_the_picture, None)
    assert coverer.cover_with_mask(2, stage.footage.frame(2))[1].any()
    stage.store.close()
    stage.footage.close()
