"""Carries what happens on worker threads to the window's thread."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Bridge(QObject):
    """Callables made by :meth:`to_window` may be called on any thread; the work is done on the window's.

    Signals carry ``object``: other types are converted, and lose values on the way.
    """

    _sent = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._sent.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def post(self, target: Any, *arguments: Any) -> None:
        """Call ``target(*arguments)`` on the window's thread, soon."""
        if self._open:
            self._sent.emit(target, arguments)

    def to_window(self, target: Any) -> Any:
        """A callable that posts."""
        return lambda *arguments: self.post(target, *arguments)

    def close(self) -> None:
        """Deliver nothing any more."""
        self._open = False

    @Slot(object, object)
    def _deliver(self, target: Any, arguments: Any) -> None:
        if self._open:
            target(*arguments)
