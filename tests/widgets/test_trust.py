"""Confidence in the real window: the card behind the legend, colours, figures under the pointer."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.review.colormap import BEYOND_RGB
from app.review.opening import create_project
from app.review.types import RunOptions
from widgets import theme
from widgets.main_window import MainWindow
from widgets.settings import Settings

_spec = importlib.util.spec_from_file_location(
    "actors", Path(__file__).parents[1] / "app" / "pipeline" / "actors.py"
)
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    store, footage = create_project(
        actors.write_clip(tmp_path / "clip.mp4", 12), tmp_path / "clip.understudy"
    )
    run_pipeline(
        store, footage, actors.engine(actors.Script(people=1)), RunOptions(), Control(), lambda event: None
    )
    store.close()
    footage.close()
    theme.apply(qapp, theme.DARK)
    made = MainWindow(Settings(tmp_path / "settings.json"))
    made.resize(1500, 950)
    with qtbot.waitExposed(made):
        made.show()
    made.files.open_path(tmp_path / "clip.understudy")
    qtbot.waitUntil(lambda: bool(made.desk.viewport._glass.scene), timeout=20_000)
    qtbot.wait(200)
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


@pytest.mark.gl
def test_confidence_is_read_from_the_body_and_set_at_the_legend(window: MainWindow, qtbot: QtBot) -> None:
    viewport, card = window.desk.viewport, window.trust.card
    glass, session = viewport._glass, window.controller.session
    assert session is not None
    (person,) = session.scene(window.controller.frame).people
    assert person.vertices is not None
    assert person.vertex_mm is not None

    # The pointer on a shin, away from every keypoint, tells its figure.
    model = session.model
    shin = np.flatnonzero(model.part_of_vertex == model.part_labels.index("Right shin"))
    middle = person.vertices[shin].mean(axis=0)
    at = session.camera.K @ middle
    x, y = viewport.canvas.view.to_screen(at[:2] / at[2])
    QTest.mouseMove(glass, QPoint(3, 3))
    QTest.mouseMove(glass, QPoint(round(float(x)), round(float(y))))
    qtbot.waitUntil(lambda: glass.vertex is not None, timeout=5000)
    part, figure, bound = glass.vertex_words
    assert part == "Right shin"
    assert figure == f"±{person.vertex_mm[glass.vertex[1]]:.0f} mm"
    assert bound.startswith("9 of 10 within")

    # A press on the legend opens the card; bodies are grey above a limit, white moves with the tolerance.
    QTest.mouseClick(glass, Qt.MouseButton.LeftButton, pos=glass._legend.center().toPoint())
    assert card.isVisible()
    assert card.plot._histogram is not None
    card.limit.setValue(card.limit.minimum())
    grey = (viewport.canvas._colors(person) == np.array(BEYOND_RGB)).all(axis=1)
    np.testing.assert_array_equal(grey, person.vertex_mm > card.limit_mm)
    assert grey.any()
    card.limit.setValue(card.limit.maximum())
    assert not (viewport.canvas._colors(person) == np.array(BEYOND_RGB)).all(axis=1).any()
    card.tolerance.setValue(card.tolerance.maximum())
    assert session.tolerance_mm == 150.0
    assert glass.tolerance_mm == 150.0
    changed = session.scene(window.controller.frame).people[0].vertex_rgb
    assert changed is not None
    assert person.vertex_rgb is not None
    assert changed[:, 0].astype(int).mean() < person.vertex_rgb[:, 0].astype(int).mean(), "bluer"
    QTest.mouseClick(card.close_button, Qt.MouseButton.LeftButton)
    assert not card.isVisible()
    window.commands["confidence"].trigger()
    assert card.isVisible()
