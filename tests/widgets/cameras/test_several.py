"""Putting several cameras together from the window: choosing, faults, working, stopping, the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
from pytestqt.qtbot import QtBot

from app.errors import ModelError
from app.multiview.task import views_task
from app.multiview.types import ViewsRequest
from app.pipeline.events import Failed, Finished, Job, Listener, Progress, StagesPlanned, StageStarted, Warned
from app.pipeline.job import Control, ThreadJob
from tests.app.multiview import room as scene
from widgets import theme
from widgets.bridge import Bridge
from widgets.cameras.dialog import CamerasDialog
from widgets.cameras.several import SeveralCameras
from widgets.settings import Settings


def until_stopped(control: Control) -> None:
    while not control.stopped:
        control._stop.wait(0.01)


class Several(SeveralCameras):
    """Works on a thread, with people who are known."""

    scripts: tuple[scene.Perception, ...] = ()
    hold: Any = None

    def _started(self, request: ViewsRequest, listener: Listener) -> Job:
        engine = scene.engine(list(self.scripts))

        def work(control: Control) -> dict[str, Any]:
            if self.hold is not None:
                self.hold(control)
            return views_task(control, listener, request, engine=engine)

        return ThreadJob("several", work, listener)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    scene.write_videos(folder)
    scene.own_json(folder / "calibration.json")
    return folder


@pytest.fixture
def tool(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Several]:
    monkeypatch.setattr("widgets.cameras.several.require_networks", lambda **_: None)
    theme.apply(QApplication.instance(), theme.DARK)
    window = QMainWindow()
    qtbot.addWidget(window)
    bridge = Bridge(window)
    work = SimpleNamespace(hands_face=False, body="free", running=False)
    controller: Any = SimpleNamespace(bridge=bridge, session=None)
    made = Several(window, controller, work, Settings(tmp_path / "window.json"))
    yield made
    made.shut_down()
    if made.dialog is not None:
        qtbot.waitUntil(lambda: not made.running, timeout=10_000)
        made.dialog.choose_again()
        made.dialog.reject()
    bridge.close()


def words(dialog: CamerasDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def looked(tool: Several, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(tool._seen) == len(tool._sources), timeout=10_000)


def chosen(tool: Several, qtbot: QtBot, folder: Path, out: Path) -> CamerasDialog:
    dialog = tool.show([folder])
    looked(tool, qtbot)
    dialog.set_output(out)
    assert dialog.start_button.isEnabled()
    return dialog


def test_an_empty_dialog_says_what_to_do(tool: Several) -> None:
    dialog = tool.show()
    assert "Drop the cameras' videos here" in words(dialog)
    assert dialog.why.text() == "Add the videos first"
    assert not dialog.start_button.isEnabled()


def test_a_dropped_folder_is_recognised(tool: Several, qtbot: QtBot, footage: Path) -> None:
    dialog = tool.show()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(footage))])
    drop = QDropEvent(
        QPointF(20, 20), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    dialog.dropEvent(drop)
    looked(tool, qtbot)
    told = words(dialog)
    assert "CAMERAS · 3" in told
    assert "1280 × 720 · 14 frames · 25 frames/s" in told
    assert "✓ calibrated as cam02" in told
    assert "3 cameras: cam01, cam02, cam03" in told
    assert str(dialog.output).startswith(str(footage))
    assert dialog.start_button.isEnabled()


def test_a_damaged_video_is_said_and_can_be_taken_away(
    tool: Several, qtbot: QtBot, footage: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(footage, tmp_path / "copy"))
    (folder / "cam02.mp4").write_bytes(b"not a video")
    dialog = tool.show([folder])
    looked(tool, qtbot)
    assert "cam02.mp4" in words(dialog)
    assert not dialog.start_button.isEnabled()
    assert "cam02 cannot be used" in dialog.why.text()
    row = next(r for r in dialog.rows() if r.name.text() == "cam02")
    QTest.mouseClick(row.remove_button, Qt.MouseButton.LeftButton)
    assert [r.name.text() for r in dialog.rows()] == ["cam01", "cam03"]
    assert dialog.start_button.isEnabled()


def test_from_start_to_end_with_the_moments_that_were_typed(
    tool: Several, qtbot: QtBot, footage: Path, tmp_path: Path
) -> None:
    dialog = chosen(tool, qtbot, footage, tmp_path / "out")
    row = dialog.rows()[1]
    row.start.selectAll()
    QTest.keyClicks(row.start, "3")
    tool.scripts = (scene.Perception(0), scene.Perception(1, late=2), scene.Perception(2))
    with qtbot.waitSignal(tool.finished, timeout=60_000) as opened:
        QTest.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)
        assert dialog.working
    assert opened.args == [tmp_path / "out" / "cam01.understudy"]
    told = words(dialog)
    assert "2 people in 3 cameras" in told
    assert "cam03" in told
    assert " px" in told
    assert not tool.running
    assert dialog.end_page.close_button.text() == "Close"
    QTest.mouseClick(dialog.end_page.close_button, Qt.MouseButton.LeftButton)
    assert tool.dialog is None


def test_a_stop_in_the_middle_keeps_what_was_done_and_goes_on(
    tool: Several, qtbot: QtBot, footage: Path, tmp_path: Path
) -> None:
    dialog = chosen(tool, qtbot, footage, tmp_path / "out")
    tool.scripts = tuple(scene.Perception(v) for v in range(3))
    # It waits at its beginning until the button has been pressed.
    tool.hold = until_stopped
    QTest.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)
    assert dialog.working
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible(), "Escape stops the work and leaves the dialog"
    assert "Stopping…" in words(dialog)
    qtbot.waitUntil(lambda: not tool.running, timeout=20_000)
    assert "Stopped" in words(dialog)
    assert "kept" in words(dialog)
    QTest.mouseClick(dialog.end_page.back, Qt.MouseButton.LeftButton)
    tool.hold = None
    with qtbot.waitSignal(tool.finished, timeout=60_000):
        QTest.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)


def test_who_looks_at_something_else_is_not_interrupted_by_the_end(
    tool: Several, qtbot: QtBot, footage: Path, tmp_path: Path
) -> None:
    dialog = tool.show([footage])
    looked(tool, qtbot)
    tool._c.session = object()
    tool._request = ViewsRequest((), None, tmp_path)
    rows = [{"name": n, "people_seen": 3, "people_not_seen": 1, "median_px": 2.5} for n in scene.NAMES]
    summary = {
        "people": 2, "cameras": rows, "all": {"median_px": 2.5}, "refined": [], "seconds": 3.0,
        "projects": [str(tmp_path / "cam01.understudy")],
    }  # fmt: skip
    with qtbot.assertNotEmitted(tool.finished, wait=50):
        tool._happened(Finished(summary, 3.0))
    assert "2 people in 3 cameras" in words(dialog)
    assert dialog.end_page.close_button.text() == "Look at it"
    with qtbot.waitSignal(tool.finished) as opened:
        QTest.mouseClick(dialog.end_page.close_button, Qt.MouseButton.LeftButton)
    assert opened.args == [tmp_path / "cam01.understudy"]


def test_progress_warnings_and_failure_are_shown(tool: Several, qtbot: QtBot, footage: Path) -> None:
    dialog = tool.show([footage])
    looked(tool, qtbot)
    high = dialog.height()
    dialog.begin()
    assert dialog.height() < high, "as high as what is shown"
    tool._request = ViewsRequest((), None, footage)
    for event in (
        StagesPlanned((("camera a", "Looking for people in a"), ("views", "Fitting"))),
        StageStarted("camera a", "a: Finding people"), Progress("camera a", 12, 40, 3.0, 75.0),
        Warned("cam03 does not agree: touched up (--refine-cameras). At which frame (--offsets)."),
    ):  # fmt: skip
        tool._happened(event)
    qtbot.wait(30)  # rows that were added are shown by the next turn of the loop
    told = words(dialog)
    for part in ("a: Finding people", "12 of 40 frames", "about 75 s left", "Looking for people in a"):
        assert part in told
    assert "--" not in told
    assert dialog.work_page.list.stages == (("camera a", 1), ("views", 0))
    tool._happened(Failed("The disk is full. Free some space and start again."))
    assert "The disk is full" in words(dialog)
    assert not dialog.end_page.close_button.isVisible()


def test_missing_networks_are_told_before_anything_runs(
    tool: Several, qtbot: QtBot, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(**_: object) -> None:
        raise ModelError("blazepose-detector is not installed.")

    monkeypatch.setattr("widgets.cameras.several.require_networks", missing)
    dialog = chosen(tool, qtbot, footage, tmp_path / "out")
    with qtbot.waitSignal(tool.networks_missing):
        QTest.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)
    assert not dialog.working
    assert dialog.childAt(QPoint(30, 30)) is not None
