"""Plane and parallax: near things pass before far ones, and where to is known from what is seen elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from backends.background import relief

SIZE = (360, 640)
K = np.array([[600.0, 0, 319.5], [0, 600.0, 179.5], [0, 0, 1]])


def scene(n: int = 300) -> np.ndarray:
    """(N, 3) points: half on a wall 6 m away, half anywhere between 2 and 6 m."""
    rng = np.random.default_rng(4)
    z = np.where(np.arange(n) % 2 == 0, 6.0, rng.uniform(2, 6, n))
    pixels = rng.uniform((60, 40), (580, 320), (n, 2))
    return np.column_stack([(pixels - K[:2, 2]) / 600 * z[:, None], z])


def seen(points: np.ndarray, moved: tuple[float, float, float]) -> np.ndarray:
    xyz = points + np.array(moved)
    return np.asarray((xyz[:, :2] / xyz[:, 2:]) * 600 + K[:2, 2], np.float32)


def wall(moved: tuple[float, float, float]) -> np.ndarray:
    """(3, 3) how the wall moves."""
    H = K @ (np.eye(3) + np.outer(moved, [0, 0, 1 / 6.0])) @ np.linalg.inv(K)
    return np.asarray(H / H[2, 2])


@pytest.mark.parametrize("first", [(0.3, 0.05, 0.0), (0.1, 0.0, -0.8)])
def test_relief_seen_in_one_picture_tells_where_points_are_in_another(
    first: tuple[float, float, float],
) -> None:
    points, second = scene(), (-0.4, 0.1, -0.5)
    start, to, there = seen(points, (0, 0, 0)), seen(points, first), seen(points, second)
    H = wall(first)
    e = relief.epipole(H, start, to, SIZE)
    assert e is not None
    g, trust = relief.standing_out(np.hstack([H, e[:, None]]), start, to)
    assert (trust > 0).all()
    usual = np.abs(g).max()
    known = np.arange(len(start)) % 3 > 0
    P = relief.resect(start[known], g[known] / usual, there[known], wall(second), SIZE)
    found = relief.project(P, start[~known], g[~known] / usual)
    flat = relief.project(np.hstack([wall(second), np.zeros((3, 1))]), start[~known], g[~known])
    assert np.hypot(*(flat - there[~known]).T).max() > 20
    assert np.hypot(*(found - there[~known]).T).max() < 0.5


def test_wrong_points_do_not_pull() -> None:
    points, second = scene(), (-0.4, 0.1, -0.5)
    start, to, there = seen(points, (0, 0, 0)), seen(points, (0.3, 0.05, 0.0)), seen(points, second)
    H = wall((0.3, 0.05, 0.0))
    e = relief.epipole(H, start, to, SIZE)
    assert e is not None
    g, _ = relief.standing_out(np.hstack([H, e[:, None]]), start, to)
    g /= np.abs(g).max()
    wrong = np.arange(len(start)) % 10 == 0
    pulled = there + np.where(wrong[:, None], np.float32([40, -25]), np.float32([0, 0]))
    P = relief.resect(start, g, pulled.astype(np.float32), wall(second), SIZE)
    assert np.hypot(*(relief.project(P, start, g) - there)[~wrong].T).max() < 1.0


def test_a_camera_that_only_turns_shows_no_relief() -> None:
    c, s = np.cos(0.05), np.sin(0.05)
    turned = K @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ np.linalg.inv(K)
    start = seen(scene(), (0, 0, 0))
    to = relief.project(np.hstack([turned, np.zeros((3, 1))]), start, np.zeros(len(start), np.float32))
    assert relief.epipole(turned, start, to, SIZE) is None


def test_relief_between_measurements_is_that_of_the_surroundings() -> None:
    h, w = SIZE[0] // relief.SHRUNK, SIZE[1] // relief.SHRUNK
    g, weight = np.zeros((h, w), np.float32), np.ones((h, w), np.float32)
    g[:, w // 2 :] = 2.0
    weight[40:60, 40:60] = 0
    found = relief.assemble(g.ravel(), weight.ravel(), SIZE)
    assert found is not None
    assert not found.known[50, 50]
    assert found.g[50, 50] == pytest.approx(0, abs=1e-3)
    at = found.at(np.array([[20.0, 20.0], [600.0, 20.0]], np.float32))
    np.testing.assert_allclose(at, [0, 1], atol=1e-3)
    assert relief.assemble(np.zeros(h * w, np.float32), np.zeros(h * w, np.float32), SIZE) is None
