"""Keypoint layouts."""

from __future__ import annotations

import numpy as np
import pytest

from backends.errors import InputError
from backends.keypoints.convert import LAYOUTS, default_from, from_default, to_default
from backends.keypoints.layout import INDEX, KEYPOINT_NAMES, N_KEYPOINTS

POINTS = np.arange(2.0 * N_KEYPOINTS).reshape(N_KEYPOINTS, 2)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_there_and_back_keeps_every_point_that_the_layout_has(layout: str) -> None:
    back = to_default(from_default(POINTS, layout), layout)
    _, known = default_from(layout)
    np.testing.assert_array_equal(back[known], POINTS[known])
    assert np.isnan(back[~known]).all()


@pytest.mark.parametrize(
    ("layout", "count"),
    [("default", 23), ("coco17", 17), ("blazepose33", 33), ("body25", 25), ("coco18", 18), ("h36m17", 17),
     ("halpe26", 26)],
)  # fmt: skip
def test_each_layout_has_its_number_of_points_and_no_name_twice(layout: str, count: int) -> None:
    assert len(LAYOUTS[layout]) == count
    assert len(set(LAYOUTS[layout])) == count


@pytest.mark.parametrize(
    ("layout", "index", "name"),
    [("blazepose33", 2, "left_eye"), ("blazepose33", 15, "left_wrist"), ("blazepose33", 32, "right_big_toe"),
     ("blazepose33", 30, "right_heel"), ("body25", 4, "right_wrist"), ("body25", 19, "left_big_toe"),
     ("body25", 23, "right_small_toe"), ("body25", 24, "right_heel"), ("coco18", 13, "left_ankle"),
     ("coco18", 16, "right_ear"), ("h36m17", 1, "right_hip"), ("h36m17", 13, "left_wrist"),
     ("halpe26", 20, "left_big_toe"), ("halpe26", 23, "right_small_toe"), ("halpe26", 25, "right_heel")],
)  # fmt: skip
def test_points_are_where_the_layouts_definitions_put_them(layout: str, index: int, name: str) -> None:
    assert LAYOUTS[layout][index] == name
    np.testing.assert_array_equal(from_default(POINTS, layout)[index], POINTS[INDEX[name]])


def test_neck_and_mid_hip_are_the_middles_of_shoulders_and_hips() -> None:
    points = from_default(POINTS, "body25")
    shoulders = (POINTS[INDEX["left_shoulder"]] + POINTS[INDEX["right_shoulder"]]) / 2
    hips = (POINTS[INDEX["left_hip"]] + POINTS[INDEX["right_hip"]]) / 2
    np.testing.assert_array_equal(points[LAYOUTS["body25"].index("neck")], shoulders)
    np.testing.assert_array_equal(points[LAYOUTS["body25"].index("mid_hip")], hips)


def test_points_that_we_do_not_have_are_not_made_up() -> None:
    points = from_default(POINTS, "h36m17")
    for name in ("head_top", "head", "spine"):
        assert np.isnan(points[LAYOUTS["h36m17"].index(name)]).all()


def test_blazepose_has_no_small_toes() -> None:
    _, known = default_from("blazepose33")
    assert [n for n, k in zip(KEYPOINT_NAMES, known) if not k] == ["left_small_toe", "right_small_toe"]


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="body25"):
        to_default(POINTS, "openpose")


@pytest.mark.parametrize("shape", [(22, 2), (23,), (0, 2)])
def test_a_wrong_number_of_points_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        from_default(np.zeros(shape), "coco17")
