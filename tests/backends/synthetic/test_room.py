"""The rendered room: its truth must be true, and its people must move like people."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from app.models.store import ModelStore
from backends.body import load_body, posed_joints, posed_keypoints, posed_vertices
from backends.errors import InputError
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Visibility
from backends.render import Mesh, rasterize
from backends.synthetic import Truth, make_clip, room_camera
from backends.synthetic.room import _cast

SMALL = {"width": 320, "height": 180}


@pytest.fixture(scope="module")
def clip() -> list[tuple[np.ndarray, Truth]]:
    return list(make_clip(seconds=4.0, fps=2.0, **SMALL))


def test_frames_have_the_size_and_number_that_were_asked_for(clip: list[tuple[np.ndarray, Truth]]) -> None:
    assert len(clip) == 8
    for index, (image, truth) in enumerate(clip):
        assert image.shape == (180, 320, 3)
        assert image.dtype == np.uint8
        assert truth.index == index
        assert truth.time == index / 2.0
        assert [p.person_id for p in truth.people] == [1, 2, 3]


def test_the_same_seed_gives_the_same_pixels_and_another_one_does_not() -> None:
    (a, ta), (b, tb), (c, tc) = (next(make_clip(1.0, 2.0, seed=s, **SMALL)) for s in (3, 3, 4))
    assert np.array_equal(a, b)
    assert np.array_equal(ta.people[0].params.pose, tb.people[0].params.pose)
    assert not np.array_equal(a, c)
    assert not np.array_equal(ta.people[0].params.betas, tc.people[0].params.betas)


def test_parameters_joints_and_keypoints_agree(clip: list[tuple[np.ndarray, Truth]]) -> None:
    body = load_body()
    for _, truth in clip:
        for person in truth.people:
            np.testing.assert_allclose(posed_keypoints(body, person.params), person.keypoints_3d, atol=1e-9)
            np.testing.assert_allclose(posed_joints(body, person.params), person.joints, atol=1e-9)
            np.testing.assert_allclose(
                truth.camera.project(person.keypoints_3d), person.keypoints_2d, atol=1e-9
            )


def test_the_pixels_of_a_person_are_where_the_bare_body_is(clip: list[tuple[np.ndarray, Truth]]) -> None:
    body = load_body()
    for _, truth in clip[::3]:
        for person in truth.people:
            if person.seen < 0.98 or person.mask is None:
                continue
            drawn = rasterize(
                [Mesh(posed_vertices(body, person.params), body.faces, (0, 0, 0))], truth.camera
            )
            bare = drawn.coverage > 0.5
            seen = np.zeros_like(bare)
            person.mask.paint(seen)
            assert (bare & seen).sum() / bare.sum() > 0.9
            assert (bare & seen).sum() / (bare | seen).sum() > 0.7


def test_a_person_differs_from_the_empty_room_exactly_in_their_mask() -> None:
    image, truth = next(make_clip(1.0, 1.0, people=1, **SMALL))
    empty, _ = next(make_clip(1.0, 1.0, people=0, **SMALL))
    person = truth.people[0]
    assert person.mask is not None
    mask = np.zeros(image.shape[:2], bool)
    person.mask.paint(mask)
    change = np.abs(image.astype(int) - empty).max(axis=2)
    assert np.median(change[mask]) > 30
    assert np.median(change[~mask]) < 8


def test_what_the_table_hides_is_occluded_and_hands_are_seen(clip: list[tuple[np.ndarray, Truth]]) -> None:
    surgeon = clip[0][1].people[0]
    assert surgeon.visibility[INDEX["left_hip"]] != Visibility.ABSENT
    assert surgeon.visibility[INDEX["left_knee"]] == Visibility.OCCLUDED
    assert surgeon.visibility[INDEX["right_wrist"]] == Visibility.VISIBLE
    assert 0.4 < surgeon.seen < 0.9


def test_visible_keypoints_lie_in_the_mask_and_the_mask_in_the_box(
    clip: list[tuple[np.ndarray, Truth]],
) -> None:
    for _, truth in clip:
        for person in truth.people:
            assert person.mask is not None
            assert person.box is not None
            mask = np.zeros((truth.camera.height, truth.camera.width), bool)
            person.mask.paint(mask)
            rows, columns = np.nonzero(mask)
            assert list(person.box) == [columns.min(), rows.min(), columns.max(), rows.max()]
            visible = np.rint(person.keypoints_2d[person.visibility == Visibility.VISIBLE]).astype(int)
            assert mask[visible[:, 1], visible[:, 0]].mean() > 0.7


@pytest.mark.parametrize("seed", range(4))
def test_nobody_bends_a_joint_too_far(seed: int) -> None:
    limits = load_body().joint_limits[1:]
    for actor in _cast(3, 8.0, np.random.default_rng(seed)):
        for time in np.linspace(0.0, 8.0, 33):
            pose = actor.motion.at(time).pose[1:]
            assert (pose >= limits[..., 0] - 1e-9).all()
            assert (pose <= limits[..., 1] + 1e-9).all()


@pytest.mark.parametrize("seed", range(3))
def test_people_move_smoothly_and_stand_on_the_floor(seed: int) -> None:
    body = load_body()
    for actor in _cast(3, 8.0, np.random.default_rng(seed)):
        params = [actor.motion.at(time) for time in np.arange(0.0, 8.0, 0.04)]
        joints = np.array([posed_joints(body, p) for p in params])
        step = np.linalg.norm(np.diff(joints, axis=0), axis=2)
        assert step.max() < 0.22, "the fastest is a swinging foot, at about 5 m/s"
        feet = np.array([posed_keypoints(body, p)[17:, 2].min() for p in params])
        np.testing.assert_allclose(feet, feet[0], atol=1e-9)


def test_the_walker_steps_and_does_not_slide() -> None:
    walker = _cast(2, 8.0, np.random.default_rng(0))[1]
    body = load_body()
    points = [posed_keypoints(body, walker.motion.at(time))[17:] for time in np.arange(1.2, 2.4, 0.02)]
    slip = []
    for before, after in pairwise(points):
        lowest = int(np.argmin(before[:, 2]))
        slip.append(np.linalg.norm((after - before)[lowest, :2]) / 0.02)
    assert np.median(slip) < 0.55, "a foot on the floor stays, while the body goes at about 1 m/s"


def test_people_stay_in_the_picture_and_apart() -> None:
    camera = room_camera(1280, 720)
    for seed in range(3):
        actors = _cast(3, 10.0, np.random.default_rng(seed))
        for time in np.linspace(0.0, 10.0, 41):
            hips = [actor.motion.at(time).transl for actor in actors]
            for actor in actors:
                world = posed_keypoints(actor.body, actor.motion.at(time))
                xy = camera.project(world @ camera.R.T + camera.t)
                assert (xy > -2).all()
                assert (xy < (1282, 722)).all()
            for i in range(3):
                for j in range(i):
                    assert np.linalg.norm((hips[i] - hips[j])[:2]) > 0.45


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0.0}, {"fps": -1.0}, {"width": 4}, {"people": 4}, {"people": -1}], ids=str
)
def test_clips_that_cannot_be_are_refused_at_once(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        make_clip(**wrong)


@pytest.mark.network_weights
def test_the_estimator_takes_them_for_people() -> None:
    store = ModelStore()
    if not (store.has("blazepose-detector") and store.has("blazepose-landmarks")):
        pytest.skip("the default networks are not installed")
    from backends.tracking.stream import PeopleStream

    stream = PeopleStream(store.path("blazepose-detector"), store.path("blazepose-landmarks"))
    for image, truth in make_clip(0.25, 12.0, 1280, 720):
        people = stream.step(truth.index, image)
    for person in truth.people:
        gaps = [
            np.median(np.linalg.norm(p.estimate.keypoints.xy[5:13] - person.keypoints_2d[5:13], axis=1))
            for p in people
        ]
        assert min(gaps) < 20.0, f"person {person.person_id} was not found"
