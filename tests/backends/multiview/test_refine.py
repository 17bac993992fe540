"""Cameras that were knocked find back by the people whom they see; what they do not see stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backends.body import load_body
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.trial import random_body, ring_of_cameras, seen_keypoints
from backends.multiview import refine_cameras, triangulate

BODY = load_body()
ROOM = ring_of_cameras(4)


def watched(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    xy, score = [], []
    for _ in range(n):
        person = random_body(BODY, rng)
        seen = [seen_keypoints(BODY, person, c, rng, 2.0) for c in ROOM]
        xy.append([np.where(k.visibility[:, None] > 0, k.xy, np.nan) for k in seen])
        score.append([k.score for k in seen])
    return np.array(xy, np.float64), np.array(score, np.float64)


def knocked(camera: Camera, turn_deg: list[float], move_m: list[float]) -> Camera:
    R = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() @ camera.R
    return replace(camera, R=R, t=R @ camera.R.T @ camera.t + np.array(move_m))


def miss(cameras: list[Camera], xy: np.ndarray, score: np.ndarray) -> float:
    """Median distance of points in space from the true ones', mm."""
    true = [triangulate(p, s, ROOM).points for p, s in zip(xy, score)]
    found = [triangulate(p, s, cameras, max_error_px=60).points for p, s in zip(xy, score)]
    return 1e3 * float(np.nanmedian(np.linalg.norm(np.array(true) - np.array(found), axis=2)))


def test_a_knocked_camera_finds_back_on_frames_it_has_not_learned_from() -> None:
    rng = np.random.default_rng(0)
    xy, score = watched(24, rng)
    wrong = [ROOM[0], knocked(ROOM[1], [0.9, -0.7, 0.4], [0.02, 0.01, -0.02]), *ROOM[2:]]
    found = refine_cameras(xy[:12], score[:12], wrong)
    assert found.before_px > 2 * found.after_px
    assert found.after_px < 3.0
    assert int(np.argmax(found.turned_deg)) == 1
    before, after = miss(wrong, xy[12:], score[12:]), miss(list(found.cameras), xy[12:], score[12:])
    assert after < 0.2 * before
    for a, b in zip(wrong, found.cameras):
        assert np.array_equal(a.K, b.K)
        assert np.allclose(b.R @ b.R.T, np.eye(3), atol=1e-9)


def test_good_cameras_stay_where_they_are_even_with_wild_keypoints() -> None:
    rng = np.random.default_rng(1)
    xy, score = watched(12, rng)
    wild = rng.random(xy.shape[:3]) < 0.08
    xy[wild] += rng.normal(0, 150, (int(wild.sum()), 2))
    found = refine_cameras(xy, score, ROOM)
    assert found.turned_deg.max() < 0.15
    assert found.moved_m.max() < 0.02


def test_too_little_to_go_by_is_said() -> None:
    rng = np.random.default_rng(2)
    xy, score = watched(1, rng)
    with pytest.raises(InputError, match="touching up needs"):
        refine_cameras(xy, score, ROOM)
    with pytest.raises(InputError, match="pixels"):
        refine_cameras(xy[0], score, ROOM)
