"""The vertex under the pointer is the one in front, of the body in front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.review.types import CameraView, PersonScene
from widgets.viewport.probe import Probe, reach_in_picture

CAMERA = CameraView(
    np.array([[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]]),
    np.eye(3),
    np.zeros(3),
    640,
    480,
    True,
)


def plate(person: int, depth: float) -> PersonScene:
    """A square of vertices, 1 cm apart, that faces the camera."""
    x, y = np.meshgrid(np.arange(-20, 21) * 0.01, np.arange(-20, 21) * 0.01)
    vertices = np.stack([x.ravel(), y.ravel(), np.full(x.size, depth)], axis=1).astype(np.float32)
    blank = np.zeros(23, np.float32)
    return PersonScene(
        person, "P", 0, np.zeros((23, 2), np.float32), blank, blank.astype(np.uint8), blank.astype(np.uint8),
        blank, ("",) * 23, vertices, vertices, np.zeros(len(vertices), np.float32),
        np.zeros((len(vertices), 3), np.uint8), 0.0, False, False,
    )  # fmt: skip


def test_the_vertex_under_the_pointer_is_found_and_beside_the_body_none() -> None:
    body = plate(1, 2.0)
    assert body.vertices is not None
    v = int(np.argmin(np.abs(body.vertices[:, :2] - (0.05, -0.03)).sum(axis=1)))
    hit = Probe().hit([body], CAMERA, 320 + 0.05 / 2 * 500, 240 - 0.03 / 2 * 500, 2.0)
    assert hit is not None
    assert (hit.person, hit.vertex) == (1, v)
    assert Probe().hit([body], CAMERA, 600, 240, 2.0) is None
    assert Probe().hit([body], None, 320, 240, 2.0) is None


def test_who_stands_in_front_is_meant() -> None:
    hit = Probe().hit([plate(1, 3.0), plate(2, 2.0), plate(3, 4.0)], CAMERA, 322, 241, 2.0)
    assert hit is not None
    assert hit.person == 2
    hidden = replace(plate(2, 2.0), hidden=True)
    hit = Probe().hit([plate(1, 3.0), hidden], CAMERA, 322, 241, 2.0)
    assert hit is not None
    assert hit.person == 1


def test_what_lies_behind_the_camera_or_has_moved_is_not_hit() -> None:
    probe = Probe()
    assert probe.hit([plate(1, -2.0)], CAMERA, 320, 240, 2.0) is None
    assert probe.hit([plate(1, 2.0)], CAMERA, 320, 240, 2.0) is not None
    away = plate(1, 2.0)
    assert away.vertices is not None
    moved = replace(away, vertices=away.vertices + np.float32(1.0))
    assert probe.hit([moved], CAMERA, 320, 240, 2.0) is None


def test_the_reach_is_the_same_on_the_screen_at_any_zoom() -> None:
    assert reach_in_picture(0.5) == 2 * reach_in_picture(1.0)
    assert reach_in_picture(100.0) >= 1.0
