"""Hand and face networks on a rendered interview, whose people sit close to the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from app.models.store import ModelStore
from backends.errors import InputError, WeightsError
from backends.keypoints.crop import Square
from backends.keypoints.details import FaceLandmarks, HandLandmarks
from backends.keypoints.face import FaceNetwork, face_square, mouth_opening
from backends.keypoints.hands import HandNetwork, hand_square, pixels_per_metre, square_around
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.synthetic import open_scene
from backends.tracking.stream import PeopleStream

NEEDED = ("blazepose-detector", "blazepose-landmarks", "hand-landmarks", "face-landmarks")


def _paths() -> dict[str, Path]:
    store = ModelStore()
    if not all(store.has(m) for m in NEEDED):
        pytest.skip("the networks are not installed (understudy models install)")
    return {m: store.path(m) for m in NEEDED}


@dataclass(frozen=True)
class Seen:
    image: np.ndarray
    person: PoseEstimate
    hands: HandNetwork
    face: FaceNetwork


@pytest.fixture(scope="module")
def seen() -> Seen:
    """The person on the left of the picture, whose hands lie open on the knees."""
    paths = _paths()
    scene = open_scene("interview", people=2, cameras=1, seconds=0.5, fps=4, width=1280, height=720, seed=1)
    image = next(iter(scene.frames())).views[0].image
    people = PeopleStream(paths[NEEDED[0]], paths[NEEDED[1]]).step(0, image)
    left = min(people, key=lambda p: float(p.estimate.box[0])).estimate
    return Seen(image, left, HandNetwork(paths["hand-landmarks"]), FaceNetwork(paths["face-landmarks"]))


@pytest.mark.network_weights
def test_an_open_hand_is_found_at_the_wrist(seen: Seen) -> None:
    square = hand_square(seen.person, "left")
    assert square is not None
    hand = seen.hands.run(seen.image, square)
    assert hand is not None
    assert hand.score > 0.6
    scale = pixels_per_metre(seen.person)
    wrist = seen.person.keypoints.xy[9]
    assert np.linalg.norm(hand.xy[0] - wrist) < 0.08 * scale
    size = np.linalg.norm(hand.xy.max(axis=0) - hand.xy.min(axis=0)) / scale
    assert 0.08 < size < 0.3, "it is as large as a hand"
    length = np.linalg.norm(hand.world[9] - hand.world[0])
    assert 0.06 < length < 0.13, "the palm in metres"
    seen_turn, world_turn = (p[9, :2] - p[0, :2] for p in (hand.xy, hand.world))
    cosine = seen_turn @ world_turn / np.linalg.norm(seen_turn) / np.linalg.norm(world_turn)
    assert cosine > 0.9, "points in space are turned like those in the picture"
    again = seen.hands.run(seen.image, square_around(hand), passes=1)
    assert again is not None
    assert np.abs(again.xy - hand.xy).max() < 0.05 * scale, "it can be followed from where it was"


@pytest.mark.network_weights
def test_a_face_is_found_between_the_ears(seen: Seen) -> None:
    square = face_square(seen.person)
    assert square is not None
    face = seen.face.run(seen.image, square)
    assert face is not None
    assert face.score > 0.9
    kp, scale = seen.person.keypoints, pixels_per_metre(seen.person)
    assert np.linalg.norm(face.xyz[1, :2] - kp.xy[0]) < 0.05 * scale, "the tip of the nose"
    height = np.linalg.norm(face.xyz[10] - face.xyz[152]) / scale
    assert 0.1 < height < 0.3
    assert mouth_opening(face) < 0.1, "nobody speaks"


@pytest.mark.network_weights
def test_where_there_is_nothing_nothing_is_found(seen: Seen) -> None:
    wall = Square(np.array([640.0, 250.0]), 140.0, 0.0)
    assert seen.hands.run(seen.image, wall) is None
    assert seen.face.run(seen.image, wall) is None
    small = Square(np.array([640.0, 250.0]), 39.0, 0.0)
    assert seen.hands.run(seen.image, small) is None
    assert seen.face.run(seen.image, small) is None
    nowhere = Square(np.array([np.nan, 250.0]), 140.0, 0.0)
    assert seen.hands.run(seen.image, nowhere) is None


@pytest.mark.network_weights
def test_what_is_no_picture_is_refused(seen: Seen) -> None:
    square = Square(np.array([64.0, 64.0]), 60.0, 0.0)
    for network in (seen.hands, seen.face):
        with pytest.raises(InputError, match="picture"):
            network.run(np.zeros((128, 128), np.uint8), square)
        with pytest.raises(InputError, match="picture"):
            network.run(np.zeros((128, 128, 3), np.float32), square)


def test_networks_that_are_missing_or_others_are_refused(tmp_path: Path) -> None:
    for network in (HandNetwork, FaceNetwork):
        with pytest.raises(WeightsError, match="not there"):
            network(tmp_path / "none.tflite")
        (tmp_path / "no.tflite").write_bytes(b"no network at all")
        with pytest.raises(WeightsError, match="damaged"):
            network(tmp_path / "no.tflite")


def _person(**changes: np.ndarray) -> PoseEstimate:
    rng = np.random.default_rng(3)
    world = rng.normal(0.0, 0.4, (23, 3)).astype(np.float32)
    world[[7, 9]] = [[0.2, 0.0, 0.0], [0.4, 0.0, 0.0]]
    xy = (200.0 * world[:, :2] + [320.0, 240.0]).astype(np.float32)
    keypoints = Keypoints(xy, np.ones(23, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    return PoseEstimate(replace(keypoints, **changes), np.zeros(4, np.float32), 0.9, world)


def test_the_first_crop_lies_beyond_the_wrist() -> None:
    person = _person()
    assert pixels_per_metre(person) == pytest.approx(200.0, rel=1e-3)
    square = hand_square(person, "left")
    assert square is not None
    assert np.allclose(square.centre, person.keypoints.xy[9] + [0.09 * 200.0, 0.0], atol=0.1)
    assert square.angle == pytest.approx(np.pi / 2), "fingers point up in the crop"
    absent = np.full(23, 2, np.uint8)
    absent[9] = 0
    assert hand_square(_person(visibility=absent), "left") is None
    assert hand_square(replace(person, world=None), "left") is None
    lost = person.keypoints.xy.copy()
    lost[9] = np.nan
    assert hand_square(_person(xy=lost), "left") is None


def test_a_face_that_looks_away_is_left_alone() -> None:
    person = _person()
    assert person.world is not None
    world = person.world.copy()
    world[[3, 4], 2], world[0, 2] = 0.0, 0.2
    assert face_square(replace(person, world=world)) is None
    world[0, 2] = -0.2
    assert face_square(replace(person, world=world)) is not None


def test_points_of_another_number_are_no_hand_and_no_face() -> None:
    with pytest.raises(ValueError, match="hand"):
        HandLandmarks(np.zeros((20, 2), np.float32), np.zeros((21, 3), np.float32), 0.5)
    with pytest.raises(ValueError, match="face"):
        FaceLandmarks(np.zeros((400, 3), np.float32), 0.5)
