"""COCO person keypoints as others write them, and the real file where it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.footage.pictures import read_picture

W, H = 20, 10


def document(**annotation: Any) -> dict[str, Any]:
    entry = {
        "id": 5, "image_id": 7, "category_id": 1, "iscrowd": 0, "bbox": [2.0, 3.0, 4.0, 5.0], "area": 12,
        "num_keypoints": 2, "keypoints": [3.0, 4.0, 2, 5.5, 6.5, 1, *([0, 0, 0] * 15)],
        "segmentation": [[2.0, 3.0, 6.0, 3.0, 6.0, 8.0, 2.0, 8.0]],
    }  # fmt: skip
    return {
        "info": {"year": 2017},
        "images": [
            {"id": 7, "file_name": "000007.jpg", "width": W, "height": H},
            {"id": 9, "file_name": "000009.jpg", "width": W, "height": H},
        ],
        "annotations": [entry | annotation],
        "categories": [{"id": 1, "name": "person"}],
    }


def save(root: Path, value: object) -> Path:
    path = root / "person_keypoints_val.json"
    path.write_text(json.dumps(value))
    return path


def mask_of(tmp_path: Path, segmentation: object) -> np.ndarray:
    person = open_truth(save(tmp_path, document(segmentation=segmentation))).views[0].frame(0).people[0]
    assert person.mask is not None
    full = np.zeros((H, W), np.bool_)
    person.mask.paint(full)
    return full


def test_a_person_comes_with_keypoints_box_and_mask(tmp_path: Path) -> None:
    truth = open_truth(save(tmp_path, document()))
    (view,) = truth.views
    assert (truth.kind, view.n_frames, view.fps, view.source) == ("coco", 2, None, None)
    assert view.frame(1).people == ()
    (person,) = view.frame(0).people
    assert person.person_id == 5
    np.testing.assert_array_equal(person.points_2d[0].visibility[:3], [2, 1, 0])
    np.testing.assert_array_equal(person.points_2d[0].xy[:2], [[3.0, 4.0], [5.5, 6.5]])
    np.testing.assert_array_equal(person.box, [2, 3, 5, 7])
    assert person.mask is not None
    assert (person.mask.x0, person.mask.y0, person.mask.width, person.mask.height) == (2, 3, 4, 5)
    assert person.mask.decode().all()


def test_run_lengths_plain_and_packed_give_the_same_mask(tmp_path: Path) -> None:
    mask = np.zeros((H, W), np.bool_)
    mask[2:7, 3:9] = True
    mask[4, 5] = False
    flat = mask.T.ravel()
    counts = np.diff(np.flatnonzero(np.r_[True, flat[1:] != flat[:-1], True])).tolist()
    packed = "P15500ML0430000\\3"  # what pycocotools' encode makes of this mask
    assert packed == pack(counts)
    np.testing.assert_array_equal(mask_of(tmp_path, {"size": [H, W], "counts": counts}), mask)
    np.testing.assert_array_equal(mask_of(tmp_path, {"size": [H, W], "counts": packed}), mask)


def pack(counts: list[int]) -> str:
    """COCO's packing, for the test only: differences to the run before last in groups of 5 bits."""
    text = ""
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            text += chr((group | (0x20 if more else 0)) + 48)
    return text


def test_a_polygon_takes_the_pixels_whose_centres_lie_in_it(tmp_path: Path) -> None:
    triangle = mask_of(tmp_path, [[0.0, 0.0, 10.0, 0.0, 0.0, 10.0]])
    y, x = np.mgrid[:H, :W]
    inside = (x + 0.5) + (y + 0.5) < 10
    on_the_edge = (x + 0.5) + (y + 0.5) == 10
    np.testing.assert_array_equal(triangle[~on_the_edge], inside[~on_the_edge])
    beyond = mask_of(tmp_path, [[-50.0, -50.0, 500.0, -50.0, 500.0, 500.0, -50.0, 500.0]])
    assert beyond.all()


def test_feet_crowds_and_objects(tmp_path: Path) -> None:
    value = document(foot_kpts=[1.0, 2.0, 2] * 6)
    value["annotations"] += [
        {**value["annotations"][0], "id": 6, "iscrowd": 1, "segmentation": {"size": [H, W], "counts": [200]}},
        {"id": 8, "image_id": 9, "category_id": 3, "bbox": [0, 0, 1, 1]},
    ]
    view = open_truth(save(tmp_path, value)).views[0]
    (person,) = view.frame(0).people
    assert [p.layout.name for p in person.points_2d] == ["coco17", "keypoints23"]
    assert person.points_2d[1].layout.joints[17] == "left_big_toe"
    assert view.frame(1).people == ()


def test_a_folder_with_several_tables_asks_which(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    save(tmp_path / "annotations", document())
    assert open_truth(tmp_path).root == tmp_path
    (tmp_path / "annotations" / "captions.json").write_text(json.dumps({"info": {}, "images": []}))
    with pytest.raises(DataSetError, match=r"several tables.*captions\.json"):
        open_truth(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"keypoints": [1, 2, 3]}, "keypoints should be numbers, 51"),
        ({"keypoints": [1, 2, 7] * 17}, "visibility other than"),
        ({"keypoints": [float("nan"), 2, 1] * 17}, "NaN"),
        ({"bbox": [1, 2, 3]}, "bbox should be numbers, 4"),
        ({"image_id": 8}, "picture 8, which is not listed"),
        ({"id": "five"}, "a person's id"),
        ({"foot_kpts": [1.0] * 17}, "foot_kpts"),
        ({"segmentation": {"size": [H, W], "counts": [10**9]}}, "do not fill"),
        ({"segmentation": {"size": [H, W], "counts": [-5, 205]}}, "do not fill"),
        ({"segmentation": {"size": [10**6, 10**6], "counts": [1]}}, "another size"),
        ({"segmentation": {"size": [H, W], "counts": "\x01"}}, "cut off or no run lengths"),
        ({"segmentation": {"size": [H, W], "counts": "o" * 50}}, "cut off or no run lengths"),
        ({"segmentation": [[1, 2, 3]]}, "too few corners"),
        ({"segmentation": ["x"]}, "a polygon should be numbers"),
    ],
)
def test_damaged_annotations_get_one_clear_error(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataSetError, match=says):
        open_truth(save(tmp_path, document(**change))).views[0].frame(0)


def picture(**values: object) -> dict[str, object]:
    return {"id": 7, "file_name": "x.jpg", "width": W, "height": H, **values}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"images": [], "annotations": []}, "lacks categories"),
        (document() | {"images": []}, "lists no pictures"),
        (document() | {"annotations": []}, "no person keypoints"),
        (
            document() | {"images": [picture(file_name="../x.jpg")]},
            "within the",
        ),
        (document() | {"images": [picture(width=0)]}, "width should"),
        (document() | {"images": [picture(), picture()]}, "same id"),
    ],
)
def test_damaged_tables_get_one_clear_error(tmp_path: Path, value: object, says: str) -> None:
    with pytest.raises(DataSetError, match=says):
        open_truth(save(tmp_path, value))


def test_the_real_pictures_have_the_area_that_the_table_says(footage_folder: Path) -> None:
    path = footage_folder / "coco" / "test_coco.json"
    area = {a["id"]: a["area"] for a in json.loads(path.read_text())["annotations"]}
    (view,) = open_truth(path).views
    assert isinstance(view.source, tuple)
    found = 0
    for i in range(view.n_frames):
        shape = read_picture(view.source[i]).shape[:2]
        for person in view.frame(i).people:
            assert person.mask is not None
            mask = np.zeros(shape, np.bool_)
            person.mask.paint(mask)
            assert mask.sum() == pytest.approx(area[person.person_id], rel=0.02)
            assert person.box is not None
            ys, xs = np.nonzero(mask)
            np.testing.assert_allclose(person.box, (xs.min(), ys.min(), xs.max(), ys.max()), atol=1.5)
            xy = person.points_2d[0].xy[person.points_2d[0].visibility == 2]
            assert ((xy >= person.box[:2] - 3) & (xy <= person.box[2:] + 3)).all()
            found += 1
    assert (view.n_frames, found) == (4, len(area))
