"""What is on the screen and what leaves the program show the same bodies in the same place."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.review.scene import camera_view, scene_model
from app.review.types import PersonScene, Scene
from backends.body import BodyParams, load_body, posed_vertices
from backends.camera import assumed_camera
from backends.fitting.problem import pose_prior
from backends.render import Mesh, rasterize
from backends.render.geometry import vertex_normals
from widgets import theme
from widgets.viewport.view import Viewport

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 640, 360


def _person(number: int, x: float, z: float, rgb: tuple[int, int, int]) -> PersonScene:
    body = load_body()
    pose = np.zeros((55, 3))
    pose[:22] = pose_prior()[0].reshape(-1, 3)
    pose[0] = [np.pi, 0.0, 0.0]
    vertices = posed_vertices(body, BodyParams(np.zeros(10), pose, np.array([x, 0.1, z]))).astype(np.float32)
    nobody = np.zeros(23, np.uint8)
    return PersonScene(
        number, f"Person {number}", number, np.zeros((23, 2), np.float32), np.zeros(23, np.float32), nobody,
        nobody, np.zeros(23, np.float32), ("",) * 23, vertices, vertex_normals(vertices, body.faces),
        np.zeros(len(vertices), np.float32), np.tile(np.array(rgb, np.uint8), (len(vertices), 1)), 0.0,
        False, False,
    )  # fmt: skip


def _screen_picture(viewport: Viewport) -> np.ndarray:
    image = viewport.canvas.widget.grabFramebuffer()
    image = image.convertToFormat(image.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def test_viewport_and_rasterizer_agree(qapp: QApplication, qtbot: QtBot) -> None:
    if qapp.platformName() == "offscreen":
        pytest.skip("there is no screen with OpenGL (run under xvfb-run)")
    theme.apply(qapp, theme.DARK)
    camera = assumed_camera(WIDTH, HEIGHT)
    # The nearer body stands partly before the farther one: depth has to agree as well.
    people = (_person(1, -0.15, 4.5, (200, 60, 40)), _person(2, 0.2, 3.6, (40, 90, 200)))
    viewport = Viewport()
    qtbot.addWidget(viewport)
    viewport.resize(WIDTH, HEIGHT)
    viewport.show()
    qtbot.waitExposed(viewport)
    viewport.set_model(scene_model(load_body()), camera_view(camera))
    viewport.set_picture(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    viewport.set_scene(Scene(0, True, people))
    qtbot.wait(200)
    screen = _screen_picture(viewport)
    assert screen.shape == (HEIGHT, WIDTH, 3)
    drawn = rasterize(
        [Mesh(p.vertices, load_body().faces, p.vertex_rgb) for p in people], camera, size=(HEIGHT, WIDTH)
    )
    on_screen, in_picture = screen.max(axis=2) > 12, drawn.coverage > 0.5
    overlap = (on_screen & in_picture).sum() / (on_screen | in_picture).sum()
    assert overlap > 0.97
    inside = drawn.coverage > 0.999
    difference = np.abs(screen[inside].astype(int) - drawn.rgb[inside])
    assert np.median(difference) < 8
    whose = np.where(screen[..., 0] > screen[..., 2], 0, 1)
    assert (whose[inside] == drawn.mesh_id[inside]).mean() > 0.98, "the nearer body hides the farther one"
