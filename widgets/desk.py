"""The review desk: tool bar, people, viewport, review, timeline, status bar. It only puts them together."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QMenu,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.cameras.strip import CameraStrip
from widgets.panels.deidentification import DeidPanel
from widgets.panels.keypoints import KeypointTable
from widgets.panels.people import PeoplePanel
from widgets.panels.review import ReviewPanel
from widgets.statusbar import StatusBar
from widgets.timeline.timeline import Timeline
from widgets.toolbar import ToolBar
from widgets.viewport.view import Viewport

LEFT_WIDTH, RIGHT_WIDTH, TIMELINE_HEIGHT = 224, 300, 232
_NARROW = 1440
"""Below this width the side panels become tabs on one side."""


_EMPTY = {
    "run": (
        "Nobody yet. Run finds the people in the footage.",
        "Nothing to review yet. After a run, what cannot be believed is listed here.",
        "No people yet: press Run to find them",
    ),
    "running": (
        "Looking for people. They appear here as they are found.",
        "What cannot be believed appears here as the run goes on.",
        "Looking for people…",
    ),
    "done": (
        "Everybody was taken out of the list.",
        "Nothing to review: nothing is in doubt.",
        "Nobody to show",
    ),
    "nobody": (
        "Nobody was found in this footage.",
        "Nothing to review: nobody was found.",
        "Nobody was found in this footage",
    ),
}
"""Words in the empty panels: people, review, timeline."""


def line(*, vertical: bool = False) -> QFrame:
    """One pixel between two panels."""
    frame = QFrame()
    frame.setProperty("role", "line")
    if vertical:
        frame.setFixedWidth(1)
    else:
        frame.setFixedHeight(1)
    return frame


def _panel() -> QWidget:
    panel = QWidget()
    panel.setProperty("role", "panel")
    panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return panel


class Desk(QWidget):
    """All parts, for the controllers to connect."""

    def __init__(self, menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.toolbar = ToolBar(menu)
        self.viewport = Viewport()
        self.cameras = CameraStrip()
        self.people = PeoplePanel()
        self.deid = DeidPanel()
        self.review = ReviewPanel()
        self.keypoints = KeypointTable()
        self.timeline = Timeline()
        self.status = StatusBar()
        self._left, self._right = _panel(), _panel()
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        self._narrow: bool | None = None
        self._scrolls: list[QScrollArea] = []
        self._panels_shown = True
        self._middle = QSplitter(Qt.Orientation.Horizontal)
        centre = _panel()
        column = centre.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(self.cameras)
        column.addWidget(self.viewport, 1)
        for part in (self._left, centre, self._right):
            self._middle.addWidget(part)
        self._middle.setHandleWidth(1)
        self._middle.setChildrenCollapsible(False)
        self._middle.setStretchFactor(1, 1)
        self._whole = QSplitter(Qt.Orientation.Vertical)
        self._whole.addWidget(self._middle)
        self._whole.addWidget(self.timeline)
        self._whole.setHandleWidth(1)
        self._whole.setChildrenCollapsible(False)
        self._whole.setStretchFactor(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.toolbar)
        layout.addWidget(line())
        layout.addWidget(self._whole, 1)
        layout.addWidget(line())
        layout.addWidget(self.status)
        self.set_waiting("run")
        self._arrange(narrow=False)
        self._middle.setSizes([LEFT_WIDTH, 1076, RIGHT_WIDTH])
        self._whole.setSizes([696, TIMELINE_HEIGHT])

    def set_waiting(self, waiting: str) -> None:
        """Why there is nobody: "run" (nothing has run), "running", "nobody" (nobody was found), "done"
        (people were found, and nothing is left)."""
        people, review, plot = _EMPTY[waiting]
        self.people.set_empty_text(people)
        self.review.set_empty_text(review)
        self.timeline.plot.set_empty_text(plot)

    def set_panels_shown(self, shown: bool) -> None:
        """Side panels on or off."""
        self._panels_shown = shown
        self._left.setVisible(shown and not self._narrow)
        self._right.setVisible(shown)

    @property
    def panels_shown(self) -> bool:
        """Whether the side panels are shown."""
        return self._panels_shown

    def sizes(self) -> list[list[int]]:
        """For the next start."""
        return [self._middle.sizes(), self._whole.sizes()]

    def set_sizes(self, sizes: list[list[int]]) -> None:
        """As they were."""
        if len(sizes) == 2 and len(sizes[0]) == 3 and len(sizes[1]) == 2:
            self._middle.setSizes(sizes[0])
            self._whole.setSizes(sizes[1])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's hook."""
        super().resizeEvent(event)
        self._arrange(narrow=self.width() < _NARROW)

    def _arrange(self, *, narrow: bool) -> None:
        if narrow == self._narrow:
            return
        self._narrow = narrow
        for panel in (self._left, self._right):
            layout = panel.layout()
            while layout is not None and layout.count():
                item = layout.takeAt(0)
                widget = item.widget() if item is not None else None
                if widget is not None and widget is not self._tabs:
                    widget.setParent(None)
        while self._tabs.count():
            self._tabs.removeTab(0)
        for part in (self.people, self.deid):
            part.setParent(None)
        for area in self._scrolls:
            area.takeWidget()  # or it goes on giving the table its own place and size
            area.setParent(None)
            area.deleteLater()
        who = _panel()
        column = who.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(self.people)
        column.addWidget(self.deid)
        column.addStretch(1)
        people = _scrolled(who)
        self._scrolls = [people]
        left, right = self._left.layout(), self._right.layout()
        assert isinstance(left, QVBoxLayout)
        assert isinstance(right, QVBoxLayout)
        if narrow:
            points = _scrolled(self.keypoints)
            self._scrolls.append(points)
            for title, widget in (("People", people), ("Review", self.review), ("Keypoints", points)):
                self._tabs.addTab(widget, title)
            right.addWidget(self._tabs, 1)
            self._tabs.show()
        else:
            self._tabs.hide()
            left.addWidget(people, 1)
            right.addWidget(self.review, 2)
            right.addWidget(line())
            right.addWidget(self.keypoints, 3)
        for widget in (self.people, self.deid, self.keypoints):
            widget.show()
        if not narrow:  # as a tab's own page it is shown by the tabs, when its turn comes
            self.review.show()
        self._left.setFixedWidth(LEFT_WIDTH)
        self._right.setMinimumWidth(264 if narrow else RIGHT_WIDTH)
        self._right.setMaximumWidth(420)
        self.set_panels_shown(self._panels_shown)


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(widget)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


__all__ = ["LEFT_WIDTH", "RIGHT_WIDTH", "Desk", "line"]
