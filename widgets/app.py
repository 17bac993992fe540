"""Starting the window."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtWidgets import QApplication

from widgets import theme
from widgets.main_window import MainWindow
from widgets.settings import Settings
from widgets.watch import start_watch


def make_application(argv: list[str] | None = None) -> QApplication:
    """The one application object, dressed."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    # Surfaces that are made again (moved between screens) keep what was uploaded to the first.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    app = QApplication(argv if argv is not None else sys.argv[:1])
    app.setApplicationName("Understudy")
    app.setApplicationDisplayName("Understudy")
    app.setDesktopFileName("understudy")
    return app


def run_window(
    argv: list[str] | None = None, project: Path | None = None, footage: Path | None = None
) -> int:
    """Open the window and stay until it is closed.

    Args:
        project, footage: what to open at once.

    Returns:
        The exit code.
    """
    app = make_application(argv)
    settings = Settings()
    theme.apply(app, theme.wanted_theme(settings.get("theme", "dark")))
    window = MainWindow(settings)
    # Ctrl+C in the terminal closes the window like its button does.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    keep_python_running = QTimer()
    keep_python_running.timeout.connect(lambda: None)
    keep_python_running.start(250)
    log = os.environ.get("UNDERSTUDY_UI_LOG")
    watch = start_watch(Path(log)) if log else None
    window.show()
    target = project or footage
    if target is not None:
        QTimer.singleShot(0, lambda: window.files.open_path(target))
    code = app.exec()
    if watch is not None:
        watch.stop()
    return code
