"""The export: what to write where, how it goes, what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.review.types import ExportRequest
from widgets.dialogs.export_choosing import ExportChoosing
from widgets.dialogs.export_done import ExportDone
from widgets.dialogs.export_working import ExportWorking
from widgets.dialogs.message import fit_height


class ExportSheet(QDialog):
    """Signals: export_requested(ExportRequest), cancel_requested(), review_requested()."""

    export_requested = Signal(object)
    cancel_requested = Signal()
    review_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setFixedWidth(560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 18)
        self.choosing, self.work_page, self.end_page = ExportChoosing(), self._work(), self._end()
        self.choosing.cancel_wanted.connect(self.reject)
        self.choosing.export_wanted.connect(self._go)
        # Not stacked: a stack is always as high as its highest page.
        for page in (self.choosing, self.work_page, self.end_page):
            layout.addWidget(page)
            page.setVisible(page is self.choosing)
        self._page: QWidget = self.choosing

    def _go(self, request: ExportRequest) -> None:
        self.work_page.begin(video="video" in request.kinds)
        self._show(self.work_page)
        self.export_requested.emit(request)

    # --- working ------------------------------------------------------------------------------

    def _work(self) -> ExportWorking:
        page = ExportWorking()
        page.stop_wanted.connect(self.cancel_requested)
        return page

    def set_stages(self, stages: Sequence[tuple[str, str]]) -> None:
        """What is to come: names of stages and their texts."""
        self.work_page.set_stages(stages)

    def start_stage(self, name: str, text: str) -> None:
        """A stage begins."""
        self.work_page.start_stage(name, text)

    def show_frame(self, frame: int, rgb: npt.NDArray[np.uint8]) -> None:
        """Frame ``frame`` as it has just been written, (h, w, 3)."""
        self.work_page.show_frame(frame, rgb)

    def set_progress(self, done: int, total: int, remaining_s: float | None, text: str) -> None:
        """How far it is."""
        self._show(self.work_page)
        self.work_page.set_progress(done, total, remaining_s, text)

    # --- the end ------------------------------------------------------------------------------

    def _end(self) -> ExportDone:
        page = ExportDone()
        page.back_wanted.connect(lambda: self._show(self.choosing))
        page.close_wanted.connect(self.accept)
        page.review_wanted.connect(self._review)
        return page

    def _review(self) -> None:
        self.accept()
        self.review_requested.emit()

    def set_done(self, summary: Any) -> None:
        """What came out."""
        self.end_page.set_done(summary)
        self._show(self.end_page)

    def set_failed(self, message: str) -> None:
        """Why not."""
        self.end_page.set_failed(message)
        self._show(self.end_page)

    def _show(self, page: QWidget) -> None:
        """Show one page; the sheet is as high as that page needs."""
        if self._page is page:
            return
        self._page.hide()
        self._page = page
        page.show()
        if page is not self.choosing:  # that one takes no more than the screen has
            fit_height(self)

    def reject(self) -> None:
        """Escape while it works asks the work to stop instead of hiding it."""
        if self._page is self.work_page:
            self.cancel_requested.emit()
            return
        super().reject()
