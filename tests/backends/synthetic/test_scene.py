"""Rendered scenes: what is said to be true must be true."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from backends.body import load_body, posed_joints, posed_keypoints
from backends.body.skeleton import JOINT_NAMES
from backends.errors import InputError
from backends.keypoints.types import Visibility
from backends.synthetic import PRESETS, Occluder, Scene, SceneFrame, open_scene
from backends.synthetic.cameras import CameraWork
from backends.synthetic.sets.operating import TABLE, drape_height

SMALL: dict[str, Any] = {"width": 320, "height": 180, "fps": 5.0}


def some(scene: Scene, count: int) -> list[SceneFrame]:
    frames = scene.frames()
    return [next(frames) for _ in range(count)]


@pytest.fixture(scope="module")
def clip() -> list[SceneFrame]:
    return some(open_scene("or", people=5, cameras=2, seconds=2, seed=3, **SMALL), 8)


def test_frames_have_what_was_asked_for(clip: list[SceneFrame]) -> None:
    for index, frame in enumerate(clip):
        assert (frame.index, frame.time) == (index, index / 5.0)
        assert [v.name for v in frame.views] == ["cam01", "cam02"]
        assert [p.person_id for p in frame.world] == [1, 2, 3, 4, 5]
        for view in frame.views:
            assert view.image.shape == (180, 320, 3)
            assert view.image.dtype == np.uint8
            assert view.depth_mm.dtype == np.uint16
            assert [p.person_id for p in view.people] == [1, 2, 3, 4, 5]


def test_the_same_seed_gives_the_same_and_another_one_does_not() -> None:
    a, b, c = (some(open_scene("or", people=2, seconds=1, seed=k, **SMALL), 2)[1] for k in (3, 3, 4))
    assert np.array_equal(a.views[0].image, b.views[0].image)
    assert np.array_equal(a.views[0].depth_mm, b.views[0].depth_mm)
    assert np.array_equal(a.world[0].params.pose, b.world[0].params.pose)
    assert not np.array_equal(a.views[0].image, c.views[0].image)
    assert not np.array_equal(a.world[0].params.betas, c.world[0].params.betas)


def test_world_and_cameras_agree(clip: list[SceneFrame]) -> None:
    body = load_body()
    for frame in clip[::3]:
        for view in frame.views:
            camera = view.camera
            for world, person in zip(frame.world, view.people):
                moved = world.keypoints_3d @ camera.R.T + camera.t
                np.testing.assert_allclose(person.keypoints_3d, moved, atol=1e-9)
                np.testing.assert_allclose(posed_keypoints(body, person.params), moved, atol=1e-9)
                np.testing.assert_allclose(posed_joints(body, person.params), person.joints, atol=1e-9)
                np.testing.assert_allclose(
                    camera.project(person.keypoints_3d), person.keypoints_2d, atol=1e-9
                )


def test_a_person_differs_from_the_empty_room_exactly_in_their_mask() -> None:
    frame = some(open_scene("or", people=1, seconds=1, seed=1, **SMALL), 1)[0]
    empty = some(open_scene("or", people=0, seconds=1, seed=1, **SMALL), 1)[0]
    mask = frame.views[0].instances == 1
    change = np.abs(frame.views[0].image.astype(int) - empty.views[0].image).max(axis=2)
    assert np.median(change[mask]) > 25
    assert np.median(change[~mask]) < 9


def test_masks_boxes_instances_and_visible_keypoints_agree(clip: list[SceneFrame]) -> None:
    hits = []
    for frame in clip:
        for view in frame.views:
            for person in view.people:
                drawn = view.instances == person.person_id
                assert drawn.any() == (person.mask is not None) == (person.box is not None)
                assert 0.0 <= person.seen <= 1.0
                if person.mask is None:
                    continue
                mask = np.zeros_like(drawn)
                person.mask.paint(mask)
                assert np.array_equal(mask, drawn)
                rows, columns = np.nonzero(mask)
                assert person.box is not None
                assert list(person.box) == [columns.min(), rows.min(), columns.max(), rows.max()]
                visible = np.rint(person.keypoints_2d[person.visibility == Visibility.VISIBLE]).astype(int)
                hits += list(mask[visible[:, 1], visible[:, 0]])
    assert np.mean(hits) > 0.85


def test_faces_lie_in_heads_and_hidden_ones_are_told(clip: list[SceneFrame]) -> None:
    shares = []
    for frame in clip:
        for view in frame.views:
            for person in view.people:
                if person.face_box is None:
                    assert person.face_seen == 0.0
                    continue
                shares.append(person.face_seen)
                assert person.head_box is not None
                assert (person.face_box[:2] >= person.head_box[:2] - 3).all()
                assert (person.face_box[2:] <= person.head_box[2:] + 3).all()
    assert max(shares) > 0.8
    assert min(shares) < 0.6


def test_the_sensors_depth_is_the_true_depth_with_noise_and_holes(clip: list[SceneFrame]) -> None:
    view = clip[0].views[1]
    holes = view.depth_mm == 0
    near = np.isfinite(view.depth) & (view.depth < 6.5)
    assert 0.01 < (holes & near).mean() / near.mean() < 0.4
    assert holes[view.depth > 7.2].all()
    error = view.depth_mm[~holes] - 1000.0 * view.depth[~holes]
    assert abs(np.median(error)) < 2
    assert 2 < error.std() < 30


def test_an_occluder_hides_what_is_behind_it() -> None:
    options = {"people": 3, "seconds": 4.0, "seed": 2, **SMALL}
    card = Occluder(width=0.9, height=1.2, period_s=10.4)
    free = some(open_scene("or", **options), 14)[13]
    hidden = some(open_scene("or", **options, occluder=card), 14)[13]
    before, after = (sum(p.seen for p in f.views[0].people) for f in (free, hidden))
    assert after < before - 0.4
    assert np.array_equal(free.world[0].params.pose, hidden.world[0].params.pose)


def test_the_plate_is_the_picture_without_people_and_the_light_swings_when_asked() -> None:
    options = {"people": 0, "cameras": 2, "seconds": 2.0, "seed": 2, **SMALL}
    steady, swinging = open_scene("or", **options), open_scene("or", **options, light_swing=0.06)
    levels = []
    for a, b in zip(some(steady, 9), some(swinging, 9)):
        levels.append(float(b.views[0].image.mean()) / float(a.views[0].image.mean()))
        for view, plate in zip(a.views, steady.plates()):
            ratio = cv2.blur(view.image, (31, 31)) / cv2.blur(plate, (31, 31)).astype(float)
            assert abs(ratio.mean() - 1) < 0.035, "the slow drift alone"
            assert ratio.std() < 0.02, "the same lens, the same white"
    assert levels[0] == pytest.approx(1.0, abs=0.002)
    assert 1.05 < max(levels) < 1.065
    assert 0.935 < min(levels) < 0.95


def test_a_carried_camera_moves_and_its_truth_moves_with_it() -> None:
    frames = some(open_scene("walk", people=1, seconds=2, seed=2, **SMALL), 6)
    places = np.array([-f.views[0].camera.R.T @ f.views[0].camera.t for f in frames])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert (steps > 1e-3).all()
    assert steps.max() < 0.6
    for f in frames:
        camera, person = f.views[0].camera, f.views[0].people[0]
        np.testing.assert_allclose(
            f.world[0].keypoints_3d @ camera.R.T + camera.t, person.keypoints_3d, atol=1e-9
        )
        assert person.seen > 0.5, "the camera follows the first person"


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_shows_its_people(preset: str) -> None:
    many = PRESETS[preset].people[1]
    frame = some(open_scene(preset, people=many, cameras=1, seconds=1, seed=5, **SMALL), 1)[0]
    seen = [p.seen > 0.2 and p.box is not None for p in frame.views[0].people]
    assert len(seen) == many
    assert np.mean(seen) >= 0.6
    assert frame.views[0].image.std() > 12, "there is something to see"


def test_people_stay_in_the_room_and_apart() -> None:
    for preset in PRESETS:
        many = PRESETS[preset].people[1]
        scene = open_scene(preset, people=many, seconds=20, seed=1, **SMALL)
        for time in np.linspace(0.0, 20.0, 41):
            hips = np.array([a.motion.at(float(time)).transl[:2] for a in scene.actors])
            gaps = np.linalg.norm(hips[:, None] - hips[None], axis=-1) + 9 * np.eye(many)
            assert gaps.min() > 0.34, (preset, time, np.unravel_index(gaps.argmin(), gaps.shape))


@pytest.mark.parametrize("seed", [1, 7])
def test_hands_at_the_table_stay_out_of_the_patient(seed: int) -> None:
    scene = open_scene("or", people=6, seconds=20, seed=seed, **SMALL)
    hands = [i for i, name in enumerate(JOINT_NAMES) if name.startswith(("left_", "right_")) and i >= 20]
    lowest = []
    for time in np.linspace(0.0, 20.0, 41):
        for k in (0, 3, 5):
            joints = posed_joints(scene.actors[k].body, scene.actors[k].motion.at(float(time)))[hands]
            over = (np.abs(joints[:, 1] - TABLE[1]) < 0.28) & (np.abs(joints[:, 0] - TABLE[0]) < 1.0)
            lowest += list((joints[:, 2] - drape_height(joints[:, 0], joints[:, 1]))[over])
    assert len(lowest) > 1000, "they do work at the table"
    assert min(lowest) > -0.015


@pytest.mark.parametrize(
    ("preset", "wrong"),
    [
        ("theatre", {}), ("or", {"people": 9}), ("or", {"people": -1}), ("interview", {"people": 3}),
        ("or", {"cameras": 0}), ("or", {"cameras": 7}), ("or", {"seconds": 0.0}),
        ("or", {"seconds": float("nan")}), ("or", {"fps": 0.0}), ("or", {"width": 4}),
        ("or", {"height": 9999}), ("or", {"light_swing": 0.6}), ("or", {"light_swing": float("nan")}),
    ],
    ids=str,
)  # fmt: skip
def test_scenes_that_cannot_be_are_refused_at_once(preset: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        open_scene(preset, **wrong)


def test_occluders_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError):
        Occluder(width=0.0)


def test_a_carried_camera_turns_and_zooms_as_it_is_told() -> None:
    work = CameraWork(pan=0.3, zoom=1.5, period_s=4.0)
    scene = open_scene("or", people=0, seconds=4, hand_held=True, work=work, **SMALL)
    begin, half = scene.camera(0, 0.0), scene.camera(0, 2.0)
    assert half.fx / begin.fx == pytest.approx(1.5, rel=1e-6)
    ahead = [camera.R[2] for camera in (begin, half)]
    turned = float(np.arccos(np.clip(np.dot(*ahead), -1, 1)))
    assert turned == pytest.approx(0.6, abs=0.06)
    assert scene.camera(0, 4.0).fx == pytest.approx(begin.fx)
