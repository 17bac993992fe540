"""The menu of the depth sensor: what lies beside is taken, a folder can be chosen, results are not mixed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.footage.writer import VideoWriter
from widgets import theme
from widgets.main_window import MainWindow
from widgets.settings import Settings

W, H, N = 64, 48, 4


def _clip(folder: Path) -> Path:
    path = folder / "ward.mp4"
    writer = VideoWriter(path, W, H, np.arange(N, dtype=np.int64), Fraction(1, 10))
    for _ in range(N):
        writer.write(np.full((H, W, 3), 90, np.uint8))
    writer.close()
    return path


def _depth(path: Path, bits: type[np.unsignedinteger] = np.uint16) -> Path:
    path.mkdir()
    for i in range(N):
        cv2.imwrite(str(path / f"{i}.png"), np.full((H, W), 200, bits))
    return path


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    theme.apply(qapp, theme.DARK)
    made = MainWindow(Settings(tmp_path / "settings.json"))
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


@pytest.mark.gl
def test_depth_is_chosen_in_the_menu(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none, folder = window.commands["depth_none"], window.commands["depth_folder"]
    assert not none.isEnabled(), "there is nothing open"
    clip = _clip(tmp_path)
    _depth(tmp_path / "ward_depth")
    window.files.open_path(clip)
    session = window.controller.session
    assert session is not None
    assert session.depth.name == "ward_depth"
    assert folder.isChecked()
    assert folder.text() == "ward_depth…"
    assert "4 of 4 frames" in window.desk.status._message.text()

    none.trigger()
    assert (session.depth.name, none.isChecked(), folder.isChecked()) == ("", True, False)
    said: list[str] = []
    window.depth_sensor.failed.disconnect()
    window.depth_sensor.failed.connect(said.append)
    wrong = _depth(tmp_path / "eight", np.uint8)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(wrong))
    folder.trigger()
    assert "8 bits" in said[0]
    assert none.isChecked()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: "")
    folder.trigger()
    assert none.isChecked(), "nothing was chosen"
    other = _depth(tmp_path / "other")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(other))
    folder.trigger()
    assert session.depth.name == "other"

    window.files.close()
    assert not folder.isEnabled()
    window.files.open_path(tmp_path / "ward.understudy")
    assert window.controller.session is not None
    assert window.controller.session.depth.name == "other", "it was decided, so what lies beside is not taken"
