"""The occlusion tool, driven by the mouse in the real window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.confidence.occlusion import ESTIMATORS, UNOCCLUDED, Occlusion
from app.demo import write_demo_clip
from app.models.store import ModelStore
from app.pipeline.job import Control
from backends.confidence.sensitivity import Occluder, SensitivityMap
from widgets import theme
from widgets.main_window import MainWindow
from widgets.panels.sensitivity import SensitivityCard
from widgets.settings import Settings
from widgets.viewport.heat_map import HeatMap


def some_result() -> Occlusion:
    """A person whose right wrist (joint 6) breaks where the patch lies at row 3, column 7."""
    occluder = Occluder()
    places = occluder.places(224, 224)
    errors = {"mesh": np.full((11, 11, 14), 0.004), "keypoints": np.full((11, 11, 14), 0.5)}
    errors["mesh"][3, 7, 6] = 0.4
    lost = np.zeros((11, 11), bool)
    return Occlusion(
        np.full((224, 224, 3), 120, np.uint8), np.array([[0.5, 0.0, -20.0], [0.0, 0.5, -30.0]]),
        np.full((14, 2), 100.0), occluder, SensitivityMap(places, errors, lost), UNOCCLUDED,
    )  # fmt: skip


@pytest.fixture
def card(qtbot: QtBot) -> SensitivityCard:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, theme.DARK)
    made = SensitivityCard()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_while_the_occluder_slides_the_card_shows_how_far_it_is_and_can_be_stopped(
    card: SensitivityCard, qtbot: QtBot
) -> None:
    card.begin("Person 1 · frame 12")
    card.set_progress(48, 121)
    assert card.words.text() == "48 of 121 places"
    assert not card.joint.isVisible()
    with qtbot.waitSignal(card.stopped):
        QTest.mouseClick(card.stop_button, Qt.MouseButton.LeftButton)


def test_a_result_shows_the_mean_first_and_each_joint_by_choice(card: SensitivityCard, qtbot: QtBot) -> None:
    card.set_result(some_result())
    assert card.choice == ("mesh", None)
    assert not card.stop_button.isVisible()
    for joint in range(7):
        with qtbot.waitSignal(card.chosen) as chosen:
            QTest.keyClick(card.joint, Qt.Key.Key_Down)
        assert chosen.args == ["mesh", joint]
    assert card.joint.currentText() == "Right wrist"
    assert "400 mm at the worst place" in card.words.text()
    with qtbot.waitSignal(card.chosen) as chosen:
        QTest.keyClick(card.estimator, Qt.Key.Key_Down)
    assert chosen.args == ["keypoints", 6]
    assert " px " in card.words.text()


def test_what_went_wrong_is_said_on_the_card(card: SensitivityCard) -> None:
    card.begin("Person 1")
    card.set_failed("Nobody is recognised in this place of the picture. Choose another person.")
    assert card.words.text().startswith("Nobody is recognised")
    assert not card.bar.isVisible()
    assert not card.save_button.isVisible()


def test_the_map_lies_where_the_crop_was_cut_and_glows_where_errors_arise(card: SensitivityCard) -> None:
    heat = HeatMap(some_result(), "mesh", 6, frame=0)
    canvas = QImage(600, 600, QImage.Format.Format_RGB888)
    canvas.fill(0)
    painter = QPainter(canvas)
    heat.draw(painter, lambda xy: np.asarray(xy, np.float64) + 0.5, (550, 460))
    painter.end()

    def at(u: float, v: float) -> tuple[int, int, int]:
        color = canvas.pixelColor(round((u + 20) / 0.5), round((v + 30) / 0.5))
        return color.red(), color.green(), color.blue()

    red, _, blue = at(160, 80)  # the middle of the place in row 3, column 7
    assert red > 100 > blue
    red, _, blue = at(20, 150)
    assert blue > red
    assert canvas.pixelColor(10, 10).value() == 0  # outside the crop
    assert canvas.pixelColor(300, 480).value() == 0  # below the picture


@pytest.fixture(scope="session")
def clip_with_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "room.mp4"
    write_demo_clip(path, Control(), lambda event: None, seconds=0.4, people=2, width=800)
    return path


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    if qapp.platformName() == "offscreen":
        pytest.skip("there is no screen with OpenGL (run under xvfb-run)")
    if not all(ModelStore().has(m) for m in ("blazepose-detector", "blazepose-landmarks")):
        pytest.skip("the default networks are not installed (understudy models install)")
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    theme.apply(qapp, theme.DARK)
    made = MainWindow(Settings(tmp_path / "window.json"))
    made.resize(1600, 1000)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.occlusion.close()
    made.work.cancel()
    qtbot.waitUntil(lambda: not made.work.running, timeout=10_000)
    made.close()
    made.deleteLater()
    qapp.processEvents()


@pytest.mark.gl
@pytest.mark.network_weights
def test_the_tool_lays_its_map_over_the_frame_and_takes_it_away(
    window: MainWindow, qtbot: QtBot, clip_with_people: Path, tmp_path: Path
) -> None:
    window.files.open_path(Path(shutil.copy(clip_with_people, tmp_path / "room.mp4")))
    window.work.run()
    qtbot.waitUntil(lambda: not window.work.running, timeout=120_000)
    tool, viewport = window.occlusion, window.desk.viewport
    window.controller.go_to(3)
    qtbot.wait(200)
    window.commands["sensitivity"].trigger()
    assert tool.card.isVisible()
    qtbot.waitUntil(lambda: tool.running, timeout=10_000)
    QTest.mouseClick(tool.card.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tool.running and not tool.card.isVisible(), timeout=15_000)
    window.commands["sensitivity"].trigger()
    qtbot.waitUntil(lambda: tool.result is not None, timeout=90_000)
    assert set(tool.result.map.errors if tool.result else ()) == set(ESTIMATORS)
    assert viewport._glass._heat_shown
    _shot(window, tmp_path, "sensitivity_mean")
    for _ in range(6):
        QTest.keyClick(tool.card.joint, Qt.Key.Key_Down)
    assert tool.card.choice == ("mesh", 5)
    _shot(window, tmp_path, "sensitivity_joint")
    tool.save(tmp_path / "figure.png")
    assert cv2.imread(str(tmp_path / "figure.png")).shape[1] > 1500
    window.commands["next_frame"].trigger()
    qtbot.waitUntil(lambda: window.controller.frame == 4, timeout=5000)
    qtbot.waitUntil(lambda: not viewport._glass._heat_shown, timeout=5000)
    window.commands["previous_frame"].trigger()
    qtbot.waitUntil(lambda: viewport._glass._heat_shown, timeout=5000)
    QTest.mouseClick(tool.card.close_button, Qt.MouseButton.LeftButton)
    assert not tool.card.isVisible()
    assert viewport._glass.heat is None


def _shot(window: MainWindow, folder: Path, name: str) -> None:
    target = Path(os.environ.get("UNDERSTUDY_SHOTS", str(folder)))
    target.mkdir(parents=True, exist_ok=True)
    for _ in range(5):
        QApplication.processEvents()
    screen = window.screen()
    assert screen.grabWindow(0).save(str(target / f"{name}.png"))
