"""The menu of bodies: what is added can be chosen, a file is read first, the window shows what a run made."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.models.store import ModelStore
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.review.opening import create_project, open_project
from app.review.types import RunOptions
from widgets import theme
from widgets.main_window import MainWindow
from widgets.settings import Settings


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_TESTS = Path(__file__).parents[1]
actors = _load(_TESTS / "app" / "pipeline" / "actors.py")
like_smpl = _load(_TESTS / "backends" / "body" / "like_smpl.py")


@pytest.fixture
def window(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    models = ModelStore(tmp_path / "models")
    monkeypatch.setattr("app.models.bodies.ModelStore", lambda: models)
    like_smpl.smpl_like(tmp_path / "Mine.npz", "smplx", own_mesh=True)
    models.add("smplx", tmp_path / "Mine.npz")
    _run(tmp_path, RunOptions())
    theme.apply(qapp, theme.DARK)
    made = MainWindow(Settings(tmp_path / "settings.json"))
    made.resize(1500, 950)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


def _run(folder: Path, options: RunOptions) -> None:
    project = folder / "clip.understudy"
    if project.exists():
        store, footage = open_project(project)
    else:
        store, footage = create_project(actors.write_clip(folder / "clip.mp4", 12), project)
    run_pipeline(store, footage, actors.engine(actors.Script(people=1)), options, Control(), lambda e: None)
    store.close()
    footage.close()


@pytest.mark.gl
def test_a_body_is_chosen_in_the_menu_and_shown_after_the_run(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands, work = window.commands, window.work
    assert commands["body_free"].isChecked()
    assert commands["body_smplx"].isEnabled()
    assert not commands["body_smpl"].isEnabled()
    assert "models add smpl" in commands["body_smpl"].toolTip()
    commands["body_smplx"].trigger()
    assert (work.body, commands["body_smplx"].isChecked()) == ("smplx", True)
    assert not commands["body_free"].isChecked()

    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(b"nothing")
    said: list[str] = []
    window.bodies.failed.disconnect()
    window.bodies.failed.connect(said.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(wrong), ""))
    commands["body_file"].trigger()
    assert "wrong.npz" in said[0]
    assert work.body == "smplx"
    own = shutil.copy(tmp_path / "Mine.npz", tmp_path / "Own.npz")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(own), ""))
    commands["body_file"].trigger()
    assert work.body == str(own)
    assert commands["body_file"].text() == "Own.npz…"
    assert window.settings.get("body", "") == str(own)

    window.files.open_path(tmp_path / "clip.understudy")
    viewport = window.desk.viewport
    qtbot.waitUntil(lambda: bool(viewport._glass.scene), timeout=20_000)
    before = window.controller.session.model  # type: ignore[union-attr]
    _run(tmp_path, RunOptions(restart=True, body=str(own)))
    window.controller.session.refresh()  # type: ignore[union-attr]
    window.controller.show_results()
    model = viewport._glass.model
    assert model is not None
    assert model.n_vertices > before.n_vertices
    window.trust.toggle()
    assert window.trust.card.note.isVisible()
    assert "Own.npz" in window.trust.card.note.text()
    qtbot.wait(300)
    assert window.grab().save(str(tmp_path / "window.png"))
