"""Measures in the real window how long a keypoint's drag takes from the mouse to the finished picture.

``python -m widgets.drag_clock PROJECT LOG.json``: opens the project, drags a wrist, writes milliseconds.
``understudy bench drag`` runs it on a virtual screen.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.review.types import PersonScene
from widgets import theme
from widgets.app import make_application
from widgets.main_window import MainWindow
from widgets.settings import Settings
from widgets.viewport.glass import Glass

_WRIST, _VISIBLE = 9, 2
_MOVES, _WARM_UP = 150, 15
_PATIENCE_S = 60.0
_PAUSE_S = 0.015
_NAP_S = 2e-4


class DragClock:
    """Drags a wrist in a circle; milliseconds from each move of the mouse to the picture that shows it."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._viewport = window.desk.viewport
        self._fitted_at: float | None = None
        self._shown_at: float | None = None
        self._show = self._viewport.set_person
        self._viewport.set_person = self._person_set  # type: ignore[method-assign]
        self._viewport.canvas.widget.frameSwapped.connect(self._swapped)

    def run(self) -> dict[str, list[float]]:
        """``shown_ms`` to the swapped picture, ``fitted_ms`` to the body being handed to the viewport,
        ``busy_ms`` the processor time that all threads took to the swapped picture."""
        frame, person = self._somebody()
        self._window.controller.go_to(frame)
        self._wait(lambda: self._viewport.screen_position(person.person_id, _WRIST) is not None)
        self._idle(0.5)
        at = self._viewport.screen_position(person.person_id, _WRIST)
        assert at is not None
        start = QPointF(*at)
        self._send(QEvent.Type.MouseButtonPress, start)
        shown: list[float] = []
        fitted: list[float] = []
        busy: list[float] = []
        for i in range(_MOVES):
            angle = 2.0 * math.pi * (i + 1) / 40
            to = start + QPointF(30.0 * math.sin(angle), 30.0 * math.cos(angle) - 30.0)
            self._clear()
            begun, worked = time.perf_counter(), time.process_time()
            self._send(QEvent.Type.MouseMove, to)
            self._wait(lambda: self._shown_at is not None)
            assert self._fitted_at is not None
            assert self._shown_at is not None
            fitted.append(1e3 * (self._fitted_at - begun))
            shown.append(1e3 * (self._shown_at - begun))
            busy.append(1e3 * (time.process_time() - worked))
            self._idle(_PAUSE_S)
        self._viewport.cancel_drag()
        return {
            "shown_ms": shown[_WARM_UP:], "fitted_ms": fitted[_WARM_UP:], "busy_ms": busy[_WARM_UP:],
        }  # fmt: skip

    def _somebody(self) -> tuple[int, PersonScene]:
        session = self._window.controller.session
        if session is None:
            raise SystemExit("The project did not open.")
        for frame in range(session.n_frames // 2, session.n_frames):
            for person in session.scene(frame).people:
                if person.vertices is not None and person.visibility[_WRIST] == _VISIBLE:
                    return frame, person
        raise SystemExit("Nobody in the project shows a left wrist.")

    def _person_set(self, person: PersonScene) -> None:
        self._show(person)
        self._fitted_at = time.perf_counter()

    def _swapped(self) -> None:
        if self._fitted_at is not None and self._shown_at is None:
            self._shown_at = time.perf_counter()

    def _send(self, kind: QEvent.Type, at: QPointF) -> None:
        glass = self._viewport.findChild(Glass)
        assert isinstance(glass, Glass)
        held = Qt.MouseButton.LeftButton
        button = held if kind == QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        where = QPointF(glass.mapToGlobal(at))
        event = QMouseEvent(kind, at, where, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(glass, event)

    def _clear(self) -> None:
        self._fitted_at = self._shown_at = None

    def _wait(self, ready: Callable[[], bool]) -> None:
        end = time.perf_counter() + _PATIENCE_S
        while not ready():
            QApplication.processEvents()
            time.sleep(_NAP_S)  # waiting is no work
            if time.perf_counter() > end:
                raise SystemExit("The window did not answer for a minute.")

    def _idle(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            QApplication.processEvents()
            time.sleep(_NAP_S)


def main() -> None:
    """Open the window on a project, measure, write the log, close."""
    parser = argparse.ArgumentParser(description="Measure a drag in the real window.")
    parser.add_argument("project", type=Path)
    parser.add_argument("log", type=Path)
    arguments = parser.parse_args()
    app = make_application()
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        theme.apply(app, theme.DARK)
        window = MainWindow(Settings(Path(folder) / "window.json"))
        window.resize(1600, 1000)
        window.show()
        window.files.open_path(arguments.project)
        found = DragClock(window).run()
        arguments.log.write_text(json.dumps(found), encoding="utf-8")
        window.close()


if __name__ == "__main__":
    main()
