"""Confidence in the window: the card behind the legend, and the figure under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject

from app.review.trust import histogram, measured
from widgets.controller import Controller
from widgets.panels.trust import EVERYBODY, TrustCard

_MARGIN = 12
_ABOVE_LEGEND = 72


class TrustTool(QObject):
    """Connects card, viewport, timeline and session."""

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        self._viewport = controller.desk.viewport
        self.card = TrustCard(self._viewport)
        self.card.hide()
        self.card.closed.connect(self.card.hide)
        self.card.tolerance_chosen.connect(self._set_tolerance)
        self.card.limit_chosen.connect(self._set_limit)
        self.card.scope_chosen.connect(lambda _scope: self._fill())
        self._viewport.legend_pressed.connect(self.toggle)
        self._viewport.vertex_hovered.connect(self._tell_vertex)
        controller.opened.connect(self._opened)
        controller.results_changed.connect(self._fill)
        controller.desk.people.selected.connect(lambda _person: self._fill())
        self._viewport.installEventFilter(self)

    def toggle(self) -> None:
        """Show the card, or take it away."""
        if self._c.session is None:
            return
        if self.card.isVisible():
            self.card.hide()
            return
        self.card.set_measured(measured(), self._c.session.confidence_note)
        self.card.show()
        self.card.raise_()
        self._fill()

    def _opened(self, _session: object) -> None:
        self.card.hide()
        session = self._c.session
        if session is not None:
            self._show_tolerance(session.tolerance_mm)

    def _set_tolerance(self, mm: float) -> None:
        session = self._c.session
        if session is None:
            return
        session.set_tolerance(mm)
        self._show_tolerance(mm)
        self._c.show_scene()
        self._fill()

    def _show_tolerance(self, mm: float) -> None:
        self.card.set_tolerance(mm)
        self._viewport.set_tolerance(mm)
        self._c.desk.timeline.set_tolerance(mm)

    def _set_limit(self, mm: float) -> None:
        self._viewport.set_limit(mm)
        self._fill()

    def _fill(self) -> None:
        session = self._c.session
        if session is None or not self.card.isVisible():
            return
        everybody = self.card.scope.currentData() == EVERYBODY
        tracks = [p.person_id for p in session.people()] if everybody else [self._c.person or 0]
        self.card.set_histogram(histogram(session.series, tracks, session.tolerance_mm), session.tolerance_mm)
        self._place()

    def _tell_vertex(self, person: int, vertex: int) -> None:
        """What the chip says of the vertex under the pointer."""
        session = self._c.session
        if session is None or vertex < 0:
            return
        self._viewport.set_vertex_words(session.vertex_words(self._c.frame, person, vertex))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The card stays above the legend."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.card.fit_into(self._viewport.height() - _MARGIN - _ABOVE_LEGEND)
        x = self._viewport.width() - self.card.width() - _MARGIN
        y = self._viewport.height() - self.card.height() - _ABOVE_LEGEND
        self.card.move(max(x, 0), max(y, _MARGIN))
