"""Face detectors: they find faces of rendered people, and refuse what is no picture or no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.models.store import ModelStore
from backends.detection.faces import CenterFace, Face, FullRangeFace, best_of
from backends.errors import InputError, WeightsError
from backends.synthetic import open_scene


@pytest.mark.network_weights
def test_both_find_the_faces_of_people_without_masks() -> None:
    store = ModelStore()
    if not (store.has("centerface") and store.has("face-detector-full-range")):
        pytest.skip("the face networks are not installed")
    scene = open_scene("interview", people=2, seconds=1, seed=3)
    view = next(scene.frames()).views[0]
    truth = [p.face_box for p in view.people if p.face_box is not None and p.face_seen > 0.5]
    assert len(truth) == 2
    for found in (
        CenterFace(store.path("centerface")).detect(view.image, 0.4),
        FullRangeFace(store.path("face-detector-full-range")).detect(view.image, 0.5),
    ):
        for box in truth:
            assert any(covers(face, box) for face in found)


def covers(face: Face, box: np.ndarray) -> bool:
    """The found rectangle holds the true face's middle and is at most three times as large.

    A detector's square about a face in profile and the tight box of its skin share less than half.
    """
    middle = (box[:2] + box[2:]) / 2
    inside = bool((face.box[:2] < middle).all() and (middle < face.box[2:]).all())
    return inside and np.prod(face.box[2:] - face.box[:2]) < 3 * np.prod(box[2:] - box[:2])


def test_doubles_are_dropped_and_damaged_boxes_left_out() -> None:
    boxes = np.array(
        [[0, 0, 10, 10], [1, 1, 11, 11], [2, 2, 6, 6], [50, 50, 60, 60], [np.nan, 0, 1, 1]], np.float32
    )
    kept = best_of(boxes, np.array([0.6, 0.9, 0.5, 0.7, 0.99], np.float32))
    assert [k.score for k in kept] == pytest.approx([0.9, 0.7])


def test_missing_and_damaged_networks_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nothing\.onnx"):
        CenterFace(tmp_path / "nothing.onnx")
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="damaged"):
        CenterFace(bad)
    with pytest.raises(WeightsError, match="damaged"):
        FullRangeFace(bad)


@pytest.mark.network_weights
def test_what_is_no_picture_is_refused() -> None:
    store = ModelStore()
    if not store.has("centerface"):
        pytest.skip("the face networks are not installed")
    with pytest.raises(InputError):
        CenterFace(store.path("centerface")).detect(np.zeros((40, 40), np.uint8))
