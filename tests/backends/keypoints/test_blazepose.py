"""The landmark network on real pictures: keypoints, world landmarks, mask."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.models.store import ModelStore
from backends.detection.types import Region
from backends.keypoints.blazepose import LandmarkNetwork, to_estimate
from backends.keypoints.layout import INDEX
from backends.keypoints.similarity import oks
from backends.keypoints.types import PoseEstimate, Visibility

pytestmark = pytest.mark.network_weights

SKIER = Region(np.array([408.0, 215.0]), np.array([390.0, 30.0]))


@pytest.fixture(scope="module")
def network() -> LandmarkNetwork:
    store = ModelStore()
    if not store.has("blazepose-landmarks"):
        pytest.skip("the network is not installed: understudy models install blazepose-landmarks")
    return LandmarkNetwork(store.path("blazepose-landmarks"), threads=1)


@pytest.fixture(scope="module")
def skier(footage_folder: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(footage_folder / "coco" / "000000000785.jpg"))[:, :, ::-1])


def estimate(network: LandmarkNetwork, image: np.ndarray, region: Region) -> PoseEstimate:
    first = network.run(image, region)
    assert first is not None
    second = network.run(image, first.region())
    assert second is not None
    return to_estimate(second, image.shape[1], image.shape[0])


@pytest.fixture(scope="module")
def seen(network: LandmarkNetwork, skier: np.ndarray) -> PoseEstimate:
    return estimate(network, skier, SKIER)


def test_keypoints_are_where_people_marked_them(seen: PoseEstimate, footage_folder: Path) -> None:
    truth = json.loads((footage_folder / "coco" / "test_coco.json").read_text())
    marked = next(a for a in truth["annotations"] if a["id"] == 442619)
    points = np.array(marked["keypoints"], float).reshape(17, 3)
    assert oks(seen.keypoints.xy[:17], points[:, :2], marked["area"], points[:, 2] > 0) > 0.85


def test_world_landmarks_are_metres_about_the_hips_with_the_cameras_axes(seen: PoseEstimate) -> None:
    world = seen.world
    assert world is not None
    hips = world[[INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=0)
    assert np.abs(hips).max() < 0.05
    assert world[INDEX["nose"], 1] < -0.4  # y down: the head is above
    assert world[INDEX["left_ankle"], 1] > 0.4
    ears = world[[INDEX["left_ear"], INDEX["right_ear"]]].mean(axis=0)
    assert world[INDEX["nose"], 2] < ears[2]  # z away: a face that looks at the camera is nearer
    assert world[INDEX["left_shoulder"], 0] > world[INDEX["right_shoulder"], 0]


def test_small_toes_are_absent_and_everything_else_is_there(seen: PoseEstimate) -> None:
    toes = [INDEX["left_small_toe"], INDEX["right_small_toe"]]
    assert (seen.keypoints.visibility[toes] == Visibility.ABSENT).all()
    assert (seen.keypoints.score[toes] == 0).all()
    assert seen.world is not None
    assert np.isnan(seen.world[toes]).all()
    rest = np.delete(np.arange(23), toes)
    assert (seen.keypoints.visibility[rest] != Visibility.ABSENT).all()
    assert np.isfinite(seen.world[rest]).all()


def test_the_mask_covers_the_body_and_not_the_snow(seen: PoseEstimate, skier: np.ndarray) -> None:
    assert seen.mask is not None
    mask = np.zeros(skier.shape[:2], bool)
    seen.mask.paint(mask)
    body = ["left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee"]
    at = seen.keypoints.xy[[INDEX[n] for n in body]].round().astype(int)
    assert mask[at[:, 1], at[:, 0]].all()
    assert 0.05 < mask.mean() < 0.25
    assert not mask[300:, :150].any()
    x0, y0, x1, y1 = seen.box
    rows, columns = np.nonzero(mask)
    assert columns.min() >= x0 - 1
    assert columns.max() <= x1 + 1
    assert rows.min() >= y0 - 1
    assert rows.max() <= y1 + 1


def test_a_picture_turned_on_its_side_gives_the_same_body_turned(
    network: LandmarkNetwork, skier: np.ndarray, seen: PoseEstimate
) -> None:
    turned = np.ascontiguousarray(np.rot90(skier, k=-1))  # clockwise: (x, y) -> (H - 1 - y, x)
    height = skier.shape[0]

    def clockwise(p: np.ndarray) -> np.ndarray:
        return np.array([height - 1 - p[1], p[0]])

    other = estimate(network, turned, Region(clockwise(SKIER.centre), clockwise(SKIER.up)))
    expected = np.stack([height - 1 - seen.keypoints.xy[:17, 1], seen.keypoints.xy[:17, 0]], axis=1)
    assert oks(other.keypoints.xy[:17], expected, 30000.0) > 0.95
    assert seen.world is not None
    assert other.world is not None
    np.testing.assert_allclose(other.world[:17, 0], -seen.world[:17, 1], atol=0.08)
    np.testing.assert_allclose(other.world[:17, 1], seen.world[:17, 0], atol=0.08)


def test_a_person_cut_by_the_border_has_guessed_points_of_low_score(
    network: LandmarkNetwork, skier: np.ndarray
) -> None:
    cut = np.ascontiguousarray(skier[:240])
    person = estimate(network, cut, SKIER)
    below = person.keypoints.xy[:, 1] >= 240
    assert below[[INDEX["left_ankle"], INDEX["right_ankle"]]].all()
    assert (person.keypoints.score[below] <= 0.3).all()
    assert (person.keypoints.visibility[below] != Visibility.VISIBLE).all()
    assert person.box[3] <= 239
    assert person.mask is not None
    assert person.mask.y0 + person.mask.height <= 240


@pytest.mark.parametrize(
    "region",
    [
        Region(np.array([np.nan, 5.0]), np.array([5.0, 0.0])),
        Region(np.array([5.0, 5.0]), np.array([5.0, 5.0])),
        Region(np.array([5.0, 5.0]), np.array([5.0, 1e9])),
    ],
)
def test_a_region_that_is_no_region_gives_nobody(
    network: LandmarkNetwork, skier: np.ndarray, region: Region
) -> None:
    assert network.run(skier, region) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("which", [0, 1, 3])
def test_answers_that_are_no_numbers_give_nobody(
    network: LandmarkNetwork, skier: np.ndarray, monkeypatch: pytest.MonkeyPatch, bad: float, which: int
) -> None:
    answer = [np.zeros(195, np.float32), np.ones(1, np.float32), np.zeros((256, 256, 1), np.float32),
              np.zeros(117, np.float32)]  # fmt: skip
    answer[which][0] = bad
    monkeypatch.setattr(network._network, "run", lambda image: answer)
    assert network.run(skier, SKIER) is None


def test_a_mask_that_is_no_numbers_is_left_out(
    network: LandmarkNetwork, skier: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [np.zeros(195, np.float32), np.ones(1, np.float32),
              np.full((256, 256, 1), np.nan, np.float32), np.zeros(117, np.float32)]  # fmt: skip
    monkeypatch.setattr(network._network, "run", lambda image: answer)
    landmarks = network.run(skier, SKIER)
    assert landmarks is not None
    assert to_estimate(landmarks, 640, 425).mask is None
