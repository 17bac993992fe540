"""The real window on a virtual screen, with settings of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from app.demo import write_demo_clip
from app.models.store import ModelStore
from app.pipeline.job import Control

pytestmark = pytest.mark.gl

SHOTS = os.environ.get("UNDERSTUDY_SHOTS")


@pytest.fixture(scope="session", autouse=True)
def _shared_surfaces() -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)


@pytest.fixture(scope="session")
def screen(qapp: QApplication) -> QApplication:
    """The application on a screen that can do OpenGL."""
    if qapp.platformName() == "offscreen":
        pytest.skip("there is no screen with OpenGL (run under xvfb-run)")
    return qapp


@pytest.fixture(scope="session")
def networks() -> None:
    """The default networks."""
    store = ModelStore()
    if not all(store.has(m) for m in ("blazepose-detector", "blazepose-landmarks")):
        pytest.skip("the default networks are not installed (understudy models install)")


@pytest.fixture(scope="session")
def demo_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the rendered operating room."""
    path = tmp_path_factory.mktemp("clip") / "room.mp4"
    write_demo_clip(path, Control(), lambda event: None, seconds=2.0, people=2, width=800)
    return path


@pytest.fixture
def shot(screen: QApplication) -> Callable[[str], None]:
    """Saves the whole screen where UNDERSTUDY_SHOTS names a folder."""

    def save(name: str) -> None:
        for _ in range(3):
            screen.processEvents()
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            assert screen.primaryScreen().grabWindow(0).save(str(Path(SHOTS) / f"{name}.png"))

    return save
