"""The whole stage on real footage, with the networks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from app.footage import open_footage
from app.models.store import ModelStore
from app.project.arrays import from_json, to_json
from backends.errors import WeightsError
from backends.keypoints.similarity import oks
from backends.keypoints.types import PoseEstimate
from backends.tracking.stream import PeopleStream, TrackedPose

pytestmark = pytest.mark.network_weights

TRUTH = json.loads(Path(__file__).with_name("pedestrians_truth.json").read_text())
WARM_UP = 10
"""Frames that a stream runs before a frame whose people were counted by eye."""


@pytest.fixture
def new_stream() -> Callable[[], PeopleStream]:
    store = ModelStore()
    for name in ("blazepose-detector", "blazepose-landmarks"):
        if not store.has(name):
            pytest.skip(f"the network is not installed: understudy models install {name}")
    return lambda: PeopleStream(store.path("blazepose-detector"), store.path("blazepose-landmarks"))


def run(stream: PeopleStream, frames: Iterable[tuple[int, np.ndarray]]) -> list[list[TrackedPose]]:
    return [stream.step(index, image) for index, image in frames]


def box_overlap(a: np.ndarray, b: np.ndarray) -> float:
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    both = float(np.prod(sides))
    return both / (float(np.prod(a[2:] - a[:2])) + float(np.prod(b[2:] - b[:2])) - both)


def count_found(boxes: list[list[float]], people: list[PoseEstimate]) -> int:
    ious = np.array([[box_overlap(np.array(b), p.box) for p in people] for b in boxes])
    return sum(bool(ious[i, j] > 0.4) for i, j in zip(*linear_sum_assignment(-ious)))


def test_most_of_the_small_pedestrians_are_found_and_the_heap_of_cloth_is_not_kept(
    new_stream: Callable[[], PeopleStream], footage_folder: Path
) -> None:
    footage = open_footage(footage_folder / "pedestrians.avi")
    found = extra = 0
    for name, boxes in TRUTH["people"].items():
        index = int(name)
        stream = new_stream()
        seen = run(stream, footage.iter_frames(max(0, index - WARM_UP), index + 1))
        discarded = stream.finish().discarded
        people = [p.estimate for p in seen[-1] if p.track_id not in discarded]
        hits = count_found(boxes, people)
        print(f"pedestrians.avi, frame {index}: {hits} of {len(boxes)} people, {len(people) - hits} more")
        found, extra = found + hits, extra + len(people) - hits
        assert not any(box_overlap(p.box, np.array(TRUTH["cloth"])) > 0.2 for p in people)
    total = sum(len(b) for b in TRUTH["people"].values())
    assert found >= 0.8 * total
    assert extra <= 0.15 * total


def test_people_marked_in_coco_are_found_and_their_keypoints_are_near(
    new_stream: Callable[[], PeopleStream], footage_folder: Path
) -> None:
    truth = json.loads((footage_folder / "coco" / "test_coco.json").read_text())
    values = []
    for picture in truth["images"]:
        image = cv2.imread(str(footage_folder / "coco" / picture["file_name"]))
        people = new_stream().step(0, np.ascontiguousarray(image[:, :, ::-1]))
        for marked in truth["annotations"]:
            if marked["image_id"] != picture["id"] or marked["num_keypoints"] == 0:
                continue
            points = np.array(marked["keypoints"], float).reshape(17, 3)
            values.append(max(
                (oks(p.estimate.keypoints.xy[:17], points[:, :2], marked["area"], points[:, 2] > 0)
                 for p in people), default=0.0,
            ))  # fmt: skip
    found = [v for v in values if v >= 0.5]
    print(f"coco: {len(found)} of {len(values)} people at OKS 0.5, mean OKS of those {np.mean(found):.2f}")
    assert len(found) >= 0.8 * len(values)
    assert np.mean(found) > 0.7


def test_the_walker_and_the_man_on_the_roof_are_two_people_all_along(
    new_stream: Callable[[], PeopleStream], footage_folder: Path
) -> None:
    footage = open_footage(footage_folder / "side_walk.mp4")
    stream = new_stream()
    small = (
        (i, np.asarray(cv2.resize(f, (1280, 720), interpolation=cv2.INTER_AREA), np.uint8))
        for i, f in footage.iter_frames(50, 110)
    )
    seen = run(stream, small)
    discarded = stream.finish().discarded
    frames = Counter(p.track_id for people in seen for p in people if p.track_id not in discarded)
    assert len(frames) == 2
    assert min(frames.values()) >= 57


def test_the_basketball_player_is_one_person_and_a_restored_stream_goes_on_exactly(
    new_stream: Callable[[], PeopleStream], footage_folder: Path
) -> None:
    frames = list(open_footage(footage_folder / "basketball.mp4").iter_frames(0, 20))
    stream, other = new_stream(), new_stream()
    first = run(stream, frames[:10])
    other.restore(from_json(to_json(stream.state())))
    second, again = run(stream, frames[10:]), run(other, frames[10:])
    for people, same in zip(second, again):
        assert [p.track_id for p in people] == [p.track_id for p in same]
        for a, b in zip(people, same):
            np.testing.assert_array_equal(a.estimate.keypoints.xy, b.estimate.keypoints.xy)
    decisions = stream.finish()
    assert decisions == other.finish()
    kept = Counter(p.track_id for people in first + second for p in people) - Counter(decisions.discarded)
    assert {t for t in kept if t not in decisions.discarded} == {1}
    assert kept[1] == 20


def test_grey_and_noisy_pictures_do_no_harm(new_stream: Callable[[], PeopleStream]) -> None:
    stream = new_stream()
    rng = np.random.default_rng(0)
    grey = np.full((120, 160, 3), 128, np.uint8)
    noise = rng.integers(0, 256, (120, 160, 3)).astype(np.uint8)
    assert [stream.step(i, image) for i, image in enumerate([grey, noise, grey, noise])] == [[]] * 4


def test_missing_or_damaged_networks_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    for path in (tmp_path / "gone.tflite", broken):
        with pytest.raises(WeightsError):
            PeopleStream(path, path)
