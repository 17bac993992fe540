"""The outline of many points is their convex hull."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backends.deidentify.outline import outline


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shape", ["ball", "square", "line", "point", "ring"])
def test_it_is_the_convex_hull(shape: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 30, (3000, 2))
    if shape == "square":
        points = rng.uniform(-40, 40, (3000, 2)).round()
    if shape == "line":
        points[:, 1] = 2 * points[:, 0] + 5
    if shape == "point":
        points[:] = (3.25, -7.5)
    if shape == "ring":
        points = 500 * points / np.linalg.norm(points, axis=1, keepdims=True)
    points = points.astype(np.float32) + np.float32(600)
    found, expected = outline(points), cv2.convexHull(points).reshape(-1, 2)
    # What lies within a thousandth of a pixel of the outline may be a corner of it or not.
    masks = np.zeros((2, 1300, 1300), np.uint8)
    for mask, corners in zip(masks, (found, expected)):
        cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    assert np.array_equal(*masks)
    if shape != "line":
        assert {tuple(c) for c in found.tolist()} == {tuple(c) for c in expected.tolist()}


def test_few_points_and_none() -> None:
    assert outline(np.zeros((0, 2), np.float32)).shape == (0, 2)
    assert outline(np.array([[1, 2], [3, 5]], np.float32)).tolist() in ([[1, 2], [3, 5]], [[3, 5], [1, 2]])
