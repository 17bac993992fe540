"""Points in space from pixels, and people across views."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import load_body, posed_keypoints
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import pack_camera
from backends.fitting.terms import project_points
from backends.fitting.trial import random_body, ring_of_cameras
from backends.multiview import associate, triangulate, undistorted

CAMERAS = ring_of_cameras(4)
BODY = load_body()


def pixels(points: np.ndarray, cameras: list[Camera] = CAMERAS) -> np.ndarray:
    return np.stack([project_points(pack_camera(c), points) for c in cameras])


def test_undistorting_undoes_distorting() -> None:
    c = CAMERAS[0]
    strong = Camera(c.K, c.width, c.height, dist=np.array([-0.2, 0.05, 2e-3, -1e-3, 0.0]))
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-0.6, 0.6, (50, 2)), np.ones((50, 1))], axis=1)
    np.testing.assert_allclose(
        undistorted(project_points(pack_camera(strong), points), strong), points[:, :2], atol=1e-6
    )


def test_true_pixels_give_the_true_points() -> None:
    points = np.random.default_rng(1).uniform(-1, 1, (40, 3)) + np.array([0, 0, 1])
    found = triangulate(pixels(points), np.ones((4, 40)), CAMERAS)
    np.testing.assert_allclose(found.points, points, atol=1e-6)
    assert found.used.all()
    assert found.error_px.max() < 1e-3


def test_wrong_cameras_are_dropped_and_the_covariance_is_right() -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform(-1, 1, (300, 3)) + np.array([0, 0, 1])
    xy = pixels(points) + rng.normal(0, 1, (4, 300, 2))
    wrong = rng.integers(0, 4, 300)
    xy[wrong, np.arange(300)] += rng.choice([-1, 1], (300, 2)) * rng.uniform(60, 200, (300, 2))
    found = triangulate(xy, np.ones((4, 300)), CAMERAS)
    away = np.linalg.norm(found.points - points, axis=1)
    assert np.median(away) < 0.01
    assert (~found.used[wrong, np.arange(300)]).mean() > 0.97
    three = found.used.sum(axis=0) == 3
    d = (found.points - points)[three]
    squares = np.einsum("ki,kij,kj->k", d, np.linalg.inv(found.covariance[three]), d)
    assert 2.0 < np.median(squares) < 3.0  # of a chi-square with three degrees: 2.37


def test_one_view_parallel_rays_and_nonsense_give_no_point() -> None:
    points = np.array([[0.0, 0.0, 1.0], [0.1, 0.2, 1.2], [0.3, 0.0, 1.5]])
    xy, score = pixels(points), np.ones((4, 3))
    score[1:, 0] = 0
    xy[:, 1] = np.nan
    found = triangulate(xy, score, CAMERAS)
    assert np.isnan(found.points[:2]).all()
    assert np.isfinite(found.points[2]).all()
    twice = [CAMERAS[0], CAMERAS[0]]
    assert np.isnan(triangulate(pixels(points, twice), np.ones((2, 3)), twice).points).all()


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="at least two"):
        triangulate(np.zeros((1, 5, 2)), np.ones((1, 5)), CAMERAS[:1])
    with pytest.raises(InputError, match="camera"):
        associate([np.zeros((1, 5, 2))], [np.ones((1, 5))], CAMERAS)
    with pytest.raises(InputError, match="Pixels"):
        undistorted(np.zeros((3, 3)), CAMERAS[0])


def test_people_are_told_apart_across_views() -> None:
    rng = np.random.default_rng(3)
    places = np.array([[-0.9, -0.5], [0.8, -0.6], [0.0, 0.9]])
    people = []
    for at in places:
        points = posed_keypoints(BODY, random_body(BODY, rng))
        people.append(points + np.append(at - points[:, :2].mean(axis=0), 0.0))
    orders = [rng.permutation(3) for _ in CAMERAS]
    xy, score = [], []
    for camera, order in zip(CAMERAS, orders):
        seen = np.stack([project_points(pack_camera(camera), people[i]) for i in order])
        xy.append(seen + rng.normal(0, 3, seen.shape))
        score.append(np.ones(seen.shape[:2]))
    xy[1], score[1], orders[1] = xy[1][:2], score[1][:2], orders[1][:2]  # one is not seen there
    stranger = xy[0][:1] + np.array([400, 0])
    xy[0], score[0] = np.concatenate([xy[0], stranger]), np.concatenate([score[0], score[0][:1]])
    groups = associate(xy, score, CAMERAS)
    found = [g for g in groups if len(g) > 1]
    assert len(found) == 3
    for group in found:
        assert len({int(orders[v][i]) for v, i in group.items()}) == 1
    assert sum(len(g) for g in found) == 11
    assert {0: 3} in groups
