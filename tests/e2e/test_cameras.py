"""Looking through the cameras of a room: by key, in the strip, in the room; siblings come back or do not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.review.room import Room
from tests.app.multiview import room as scene
from widgets import theme
from widgets.main_window import MainWindow
from widgets.settings import Settings

pytestmark = pytest.mark.gl

Shot = Callable[[str], None]
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scene.make_projects(tmp_path_factory.mktemp("cameras"))


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


@pytest.fixture
def window(screen: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    theme.apply(screen, theme.DARK)
    window = MainWindow(Settings(tmp_path / "window.json"))
    window.resize(1366, 768)
    window.move(0, 0)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    yield window
    window.close()
    window.deleteLater()
    screen.processEvents()


def opened(window: MainWindow, qtbot: QtBot, path: Path) -> Room:
    window.files.open_path(path)
    room = window.cameras.room
    assert room is not None
    qtbot.waitUntil(lambda: room.looked_up, timeout=20_000)
    qtbot.wait(100)
    return room


def name_of(window: MainWindow) -> str:
    person = window.controller.person
    assert window.controller.session is not None
    return next(p.name for p in window.controller.session.people() if p.person_id == person)


def test_moment_and_person_stay_when_the_camera_is_switched(
    window: MainWindow, qtbot: QtBot, place: Path, shot: Shot
) -> None:
    room = opened(window, qtbot, place / "cam01.understudy")
    strip = window.desk.cameras
    assert strip.isVisible()
    assert [c.name for c in strip.cells] == list(scene.NAMES)
    assert strip.cells[0].current
    qtbot.waitUntil(lambda: all(c.peek is not None for c in strip.cells), timeout=10_000)
    c = window.controller
    c.go_to(8)
    second = next(p.person_id for p in c.session.people() if p.name == "Person 2")
    c.select_person(second)
    shot("cameras")
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_2, ALT)
    qtbot.waitUntil(lambda: room.current == 1, timeout=5000)
    assert c.frame == 10, "the second camera began two frames late"
    assert name_of(window) == "Person 2"
    assert c.person == second, "one numbering for all cameras"
    assert window.windowTitle().startswith("cam02")
    assert strip.cells[1].current
    QTest.mouseClick(strip.cells[2], Qt.MouseButton.LeftButton)
    assert room.current == 2
    assert c.frame == 8
    assert name_of(window) == "Person 2"
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_Right, ALT)
    assert room.current == 0, "after the last comes the first"
    assert c.person == second
    c.set_mode("original")
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_Left, ALT)
    assert room.current == 2
    assert c.mode == "original", "what is shown stays as it is"
    window.files.close()
    assert not strip.isVisible()
    assert window.cameras.room is None
    assert not window.commands["next_camera"].isEnabled()


def test_in_the_room_cameras_have_names_that_can_be_pressed(
    window: MainWindow, qtbot: QtBot, place: Path, shot: Shot
) -> None:
    room = opened(window, qtbot, place / "cam01.understudy")
    window.controller.go_to(3)
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_6, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(200)
    shot("cameras_room")
    glass = window.desk.viewport._glass
    boxes = dict(glass.labels._boxes)
    assert set(boxes) == {0, 1, 2}
    target = boxes[2].center()
    at = QPoint(round(target.x()), round(target.y()))
    QTest.mouseMove(glass, at)
    qtbot.waitUntil(lambda: glass.labels.hovered == 2, timeout=3000)
    QTest.mouseClick(glass, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert room.current == 2
    assert window.controller.space == "camera"
    assert window.controller.frame == 3


def test_the_room_is_looked_at_from_the_same_place_after_a_switch(
    window: MainWindow, qtbot: QtBot, place: Path
) -> None:
    room = opened(window, qtbot, place / "cam01.understudy")
    window.controller.set_space("room")
    canvas = window.desk.viewport.canvas
    canvas.orbit.turn(120, 40)
    before = canvas.orbit.matrix((800, 600))
    bodies = sorted(tuple(np.round(p.vertices.mean(axis=0), 2)) for p in canvas._scene.people)
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_2, ALT)
    qtbot.waitUntil(lambda: room.current == 1 and canvas._scene is not None, timeout=5000)
    assert window.controller.space == "room"
    assert np.allclose(canvas.orbit.matrix((800, 600)), before)
    assert len(canvas._scene.people) == len(bodies) == 2


def test_a_missing_sibling_gets_a_quiet_word(window: MainWindow, qtbot: QtBot, place: Path) -> None:
    (place / "cam03.understudy").unlink()
    room = opened(window, qtbot, place / "cam02.understudy")
    cell = window.desk.cameras.cells[2]
    assert cell.trouble == "missing"
    assert not cell.isEnabled()
    assert "cam03 missing" in window.desk.status._message.text()
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_3, ALT)
    assert room.current == 1, "nothing happened"
    assert "cam03.understudy is not in this project's folder" in window.desk.status._message.text()
    window.cameras.step(1)
    assert room.current == 0, "the missing one is stepped over"


def test_while_something_runs_the_camera_stays(window: MainWindow, qtbot: QtBot, place: Path) -> None:
    room = opened(window, qtbot, place / "cam01.understudy")
    window.work.kind = "export"
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_2, ALT)
    assert room.current == 0
    assert "Something is running" in window.desk.status._message.text()
    window.work.kind = ""


def test_a_correction_is_seen_in_its_camera_after_coming_back(
    window: MainWindow, qtbot: QtBot, place: Path
) -> None:
    room = opened(window, qtbot, place / "cam01.understudy")
    c = window.controller
    c.go_to(8)
    person = c.person
    window.editing._edit(lambda s: s.set_visibility(8, person, 9, 0), "")
    window.cameras.show_camera(1)
    window.cameras.show_camera(0)
    assert room.current == 0
    found = next(p for p in c.session.scene(8).people if p.person_id == person)
    assert found.visibility[9] == 0
    assert c.session.can_undo
    window.editing.undo()
    found = next(p for p in c.session.scene(8).people if p.person_id == person)
    assert found.visibility[9] != 0
