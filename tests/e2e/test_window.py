"""A person opens a video, runs, drags a wrist with the mouse, undoes, exports, and comes back later."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.errors import ModelError
from app.footage import open_footage
from app.review.types import ExportRequest, RunOptions
from widgets import drag_clock, theme
from widgets.dialogs.export_sheet import ExportSheet
from widgets.drag_clock import DragClock
from widgets.main_window import MainWindow
from widgets.settings import Settings
from widgets.watch import Watch

pytestmark = [pytest.mark.gl, pytest.mark.network_weights]

Shot = Callable[[str], None]
LONGEST_MS = 50.0


@pytest.fixture
def window(screen: QApplication, networks: None, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    theme.apply(screen, theme.DARK)
    made = MainWindow(Settings(tmp_path / "window.json"))
    made.resize(1600, 1000)
    made.move(0, 0)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=5000)
    yield made
    made.work.cancel()
    qtbot.waitUntil(lambda: not made.work.running, timeout=10_000)
    made.close()
    made.deleteLater()
    screen.processEvents()


@pytest.fixture
def clip(demo_clip: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(demo_clip, tmp_path / "room.mp4"))


def _glass(window: MainWindow) -> QWidget:
    return window.desk.viewport._glass


def _run(window: MainWindow, qtbot: QtBot, clip: Path) -> None:
    window.files.open_path(clip)
    window.work.run()
    qtbot.waitUntil(lambda: not window.work.running, timeout=180_000)


def _point(window: MainWindow, person: int, keypoint: int) -> QPoint:
    at = window.desk.viewport.screen_position(person, keypoint)
    assert at is not None
    return QPoint(round(at[0]), round(at[1]))


def _drag(window: MainWindow, qtbot: QtBot, start: QPoint, end: QPoint, *, release: bool = True) -> None:
    glass = _glass(window)
    QTest.mouseMove(glass, start)
    QTest.mousePress(glass, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 11):
        at = start + (end - start) * step / 10
        QTest.mouseMove(glass, at)
        qtbot.wait(25)
    if release:
        QTest.mouseRelease(glass, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
        qtbot.wait(20)


def test_the_whole_way(window: MainWindow, qtbot: QtBot, clip: Path, shot: Shot, tmp_path: Path) -> None:
    shot("welcome")
    assert window.pages.currentWidget() is window.welcome
    window.files.open_path(clip)
    assert window.pages.currentWidget() is window.desk
    qtbot.wait(300)
    shot("opened")

    QTest.mouseClick(window.desk.toolbar.run_button, Qt.MouseButton.LeftButton)
    session = window.controller.session
    assert session is not None
    qtbot.waitUntil(lambda: session.has_results or not window.work.running, timeout=120_000)
    shot("running")
    qtbot.waitUntil(lambda: not window.work.running, timeout=180_000)
    people = session.people()
    assert len(people) >= 2
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_End)
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert window.controller.frame == session.n_frames - 11
    qtbot.wait(300)
    shot("review")

    QTest.keyClick(window.desk.viewport, Qt.Key.Key_2)
    assert window.controller.person == people[1].person_id

    frame = window.controller.frame
    person = next(p for p in session.scene(frame).people if p.visibility[9] > 0)
    before = person.xy.copy()
    assert person.vertices is not None
    start = _point(window, person.person_id, 9)
    _drag(window, qtbot, start, start + QPoint(26, -30), release=False)
    assert window.controller.dragging
    shot("dragging")
    QTest.mouseRelease(
        _glass(window), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + QPoint(26, -30)
    )
    scale = window.desk.viewport.canvas.view.scale
    after = next(p for p in session.scene(frame).people if p.person_id == person.person_id)
    assert np.allclose(after.xy[9] - before[9], np.array([26, -30]) / scale, atol=2.5)
    assert after.vertices is not None
    assert np.abs(after.vertices - person.vertices).max() > 0.01
    assert after.reviewed

    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    undone = next(p for p in session.scene(frame).people if p.person_id == person.person_id)
    assert np.allclose(undone.xy, before)
    QTest.keyClick(
        window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert session.undo_label == "Move left wrist"

    QTest.keyClick(window.desk.viewport, Qt.Key.Key_6, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(200)
    shot("room")
    glass = _glass(window)
    middle = glass.rect().center()
    _drag(window, qtbot, middle, middle + QPoint(120, 30))
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.controller._covered_frame == frame, timeout=60_000)
    qtbot.wait(200)
    shot("split")
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(200)
    shot("deidentified")
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)

    window.sheets.show_export()
    sheet = window.findChild(ExportSheet)
    assert sheet is not None
    qtbot.wait(150)
    shot("export")
    sheet.choosing._confirm.setChecked(True)
    QTest.mouseClick(sheet.choosing.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.work.running, timeout=180_000)
    qtbot.wait(100)
    shot("export_done")
    assert sheet.end_page.isVisible()
    folder = session.default_export_folder()
    with open_footage(next(folder.glob("room_deidentified*.mp4"))) as video:
        assert video.n_frames == session.n_frames
    sheet.accept()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)

    QTest.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert not theme.current().is_dark
    qtbot.wait(200)
    shot("light")
    QTest.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    window.resize(1366, 768)
    qtbot.wait(300)
    shot("small")

    project = session.project_path
    window.files.close()
    assert window.pages.currentWidget() is window.welcome
    qtbot.wait(100)
    shot("welcome_recent")
    window.files.open_path(project)
    again = window.controller.session
    assert again is not None
    back = next(p for p in again.scene(frame).people if p.person_id == person.person_id)
    assert np.allclose(back.xy[9], after.xy[9])
    assert again.undo_label == "Move left wrist"


def test_the_window_stays_awake_while_it_runs(
    window: MainWindow, qtbot: QtBot, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window.files.open_path(clip)
    qtbot.wait(500)
    log = os.environ.get("UNDERSTUDY_UI_LOG")
    watch = Watch(Path(log) if log else None)
    watch.start()
    window.work.run()
    while window.work.running:
        QTest.keyClick(window.desk.viewport, Qt.Key.Key_Right)
        qtbot.wait(40)
    watch.stop()
    with capsys.disabled():
        print(
            f"\n  the window's thread while the worker ran: {len(watch.delays_ms)} beats, longest "
            f"{watch.longest_ms:.0f} ms, 99 % {np.percentile(watch.delays_ms, 99):.0f} ms"
        )
    assert len(watch.delays_ms) > 20


def test_escape_puts_a_dragged_keypoint_back(window: MainWindow, qtbot: QtBot, clip: Path) -> None:
    _run(window, qtbot, clip)
    session = window.controller.session
    assert session is not None
    window.controller.go_to(20)
    qtbot.wait(300)
    person = next(p for p in session.scene(20).people if p.visibility[9] > 0)
    start = _point(window, person.person_id, 9)
    _drag(window, qtbot, start, start + QPoint(40, 10), release=False)
    assert window.controller.dragging
    QTest.keyClick(window.desk.viewport, Qt.Key.Key_Escape)
    assert not window.controller.dragging
    now = next(p for p in session.scene(20).people if p.person_id == person.person_id)
    assert np.allclose(now.xy, person.xy)
    assert not session.can_undo


def test_a_drag_is_timed_to_the_picture_that_shows_it(
    window: MainWindow, qtbot: QtBot, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(window, qtbot, clip)
    monkeypatch.setattr(drag_clock, "_MOVES", 8)
    monkeypatch.setattr(drag_clock, "_WARM_UP", 2)
    found = DragClock(window).run()
    assert len(found["shown_ms"]) == 6
    assert all(0 < f < s for f, s in zip(found["fitted_ms"], found["shown_ms"]))
    assert window.controller.session is not None
    assert not window.controller.session.can_undo, "what is measured is not kept"


def test_the_right_button_tells_visibility(window: MainWindow, qtbot: QtBot, clip: Path) -> None:
    _run(window, qtbot, clip)
    session = window.controller.session
    assert session is not None
    window.controller.go_to(20)
    qtbot.wait(300)
    person = next(p for p in session.scene(20).people if p.visibility[9] > 0)
    glass = _glass(window)
    at = _point(window, person.person_id, 9)
    QTest.mouseMove(glass, at)
    window.desk.viewport.visibility_wanted.emit(person.person_id, 9, glass.mapToGlobal(at))
    menu = next(m for m in window.desk.findChildren(QMenu) if m.isVisible())
    action = next(a for a in menu.actions() if a.text() == "Absent")
    action.trigger()
    menu.close()
    now = next(p for p in session.scene(20).people if p.person_id == person.person_id)
    assert now.visibility[9] == 0
    assert session.undo_label == "Mark left wrist as absent"


def test_a_file_that_is_no_video_is_one_clear_message(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, shot: Shot
) -> None:
    broken = tmp_path / "holiday.mp4"
    broken.write_bytes(b"this is no video at all" * 40)
    seen: list[str] = []
    window.files.failed.connect(seen.append)
    window.files.open_path(broken)
    qtbot.wait(100)
    shot("error")
    assert len(seen) == 1
    assert "holiday.mp4" in seen[0]
    assert window.pages.currentWidget() is window.welcome
    for dialog in QApplication.topLevelWidgets():
        if dialog is not window and dialog.isVisible():
            dialog.close()


def test_layout_and_theme_are_remembered(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    QTest.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    window.resize(1440, 900)
    qtbot.wait(50)
    window.close()
    settings = Settings(tmp_path / "window.json")
    assert settings.get("theme", "") == "light"
    assert settings.get("geometry", "")
    window.commands["theme"].trigger()


def test_an_export_onto_files_that_exist_is_refused_in_words(
    window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path
) -> None:
    _run(window, qtbot, clip)
    request = ExportRequest(tmp_path / "out", ("csv",))
    failures: list[str] = []
    window.work.export_failed.connect(failures.append)
    for _ in range(2):
        window.work.export(request)
        qtbot.waitUntil(lambda: not window.work.running, timeout=60_000)
    assert len(failures) == 1
    assert "there already" in failures[0]


def test_a_correction_is_carried_along_and_one_undo_takes_it_back(
    window: MainWindow, qtbot: QtBot, clip: Path, shot: Shot, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(window, qtbot, clip)
    session = window.controller.session
    assert session is not None
    window.controller.go_to(25)
    qtbot.waitUntil(lambda: window.controller.show_scene() is not None, timeout=5000)
    qtbot.wait(300)
    person = max(session.scene(25).people, key=lambda p: float(np.ptp(p.xy[:, 1])))
    who = person.person_id
    window.controller.select_person(who)

    def there(frame: int) -> np.ndarray:
        found = next(p for p in session.scene(frame).people if p.person_id == who)
        return np.concatenate([found.xy, [[found.mean_mm, found.reviewed]]])

    window.commands["carry"].trigger()
    qtbot.wait(50)
    assert not window.work.running, "nothing is corrected yet"
    start = _point(window, who, 9)
    _drag(window, qtbot, start, start + QPoint(22, -26))
    fixed, before = there(25), there(27)
    watch = Watch()
    watch.start()
    QTest.keyClick(
        window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert window.work.kind == "carry"
    shot("carrying")
    qtbot.waitUntil(lambda: not window.work.running, timeout=60_000)
    watch.stop()
    with capsys.disabled():
        print(
            f"\n  the window's thread while carrying: longest {watch.longest_ms:.0f} ms,"
            f" own work at most {max(watch.busy_ms):.0f} ms"
        )
    after = there(27)
    assert np.linalg.norm(after[9] - before[9]) > 3, "the neighbour follows"
    assert np.array_equal(there(25), fixed)
    assert session.lanes()[[lane.person_id for lane in session.lanes()].index(who)].carried_frames.size > 10
    assert "along" in window.commands["undo"].text()
    shot("carried")
    window.controller.go_to(27)
    qtbot.wait(300)
    shot("carried frame")
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.controller.frame == 25, "undo goes to where it was carried from"
    assert np.allclose(there(27), before)
    assert np.array_equal(there(25), fixed)


def test_in_a_narrow_window_one_tab_shows_at_a_time(window: MainWindow, qtbot: QtBot, clip: Path) -> None:
    window.files.open_path(clip)
    panels = (window.desk.people, window.desk.review, window.desk.keypoints)
    for width in (1200, 1600, 1200, 1600):
        window.resize(width, 768)
        qtbot.waitUntil(lambda w=width: window.desk.width() == w, timeout=5000)
        if width == 1600:
            assert all(p.isVisible() for p in panels)
            qtbot.wait(50)
            assert not window.desk.review.geometry().intersects(window.desk.keypoints.geometry())
            continue
        for at in range(3):
            window.desk._tabs.setCurrentIndex(at)
            qtbot.wait(20)
            assert [p.isVisible() for p in panels] == [i == at for i in range(3)]


def test_hands_and_faces_are_looked_for_where_asked_and_it_is_remembered(
    window: MainWindow, qtbot: QtBot, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.files.open_path(clip)
    asked: list[RunOptions] = []

    def refuse(options: RunOptions, listener: object) -> None:
        asked.append(options)
        raise ModelError("The hand network is not installed.")

    assert window.controller.session is not None
    monkeypatch.setattr(window.controller.session._work, "run", refuse)
    told: list[str] = []
    window.work.networks_missing.disconnect()
    window.work.networks_missing.connect(told.append)
    window.work.run()
    window.commands["hands_face"].trigger()
    window.work.run()
    assert [o.hands_face for o in asked] == [False, True]
    assert len(told) == 2
    assert window.settings.get("hands_face", False) is True
    window.commands["hands_face"].trigger()
    assert window.settings.get("hands_face", True) is False
