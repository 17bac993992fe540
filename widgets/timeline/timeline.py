"""The timeline under the picture: transport, header plot, lanes, coverage, ruler and cursor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollBar, QWidget

from app.review.types import Lane
from widgets import theme
from widgets.timeline.glass import SLACK, TimelineGlass
from widgets.timeline.lanes import LEAST_PITCH, LEFT, PITCH, RIGHT, LaneArea
from widgets.timeline.plot import ErrorPlot
from widgets.timeline.ruler import CoverageLane, Ruler
from widgets.timeline.scale import Scale, time_text
from widgets.timeline.transport import RangeBar, Transport

_TOP = 40
_COVERAGE, _RULER = 24, 34
_LEAST_PLOT, _PLOT = 44, 78
_LEAST_HEIGHT = 200
_MOST_LANES = 6
"""Lanes that are shown without scrolling."""
_MOST_NAMED = 3


class Timeline(QWidget):
    """Where the doubt lies, over time.

    Knows nothing of a session: frames, lanes and coverage are handed in, wishes go out as signals.
    """

    frame_requested = Signal(int)
    play_toggled = Signal()
    step_requested = Signal(int)
    person_selected = Signal(int)
    range_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times: npt.NDArray[np.float64] = np.zeros(0)
        self._lanes: Sequence[Lane] = ()
        self._frame = 0
        self._n_frames = 0
        self._range: tuple[int | None, int | None] = (None, None)
        self._scale = Scale.whole(0, 1.0)
        self._tolerance = 50.0
        self.transport = Transport(self)
        self.title = QLabel("Expected error, mm", self)
        self.title.setProperty("role", "secondary")
        self.range_bar = RangeBar(self)
        self.plot = ErrorPlot(self)
        self.lanes = LaneArea(self)
        self.bar = QScrollBar(Qt.Orientation.Vertical, self)
        self.coverage = CoverageLane(self)
        self.ruler = Ruler(self)
        self.glass = TimelineGlass(self)
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Timeline")
        self.bar.hide()
        self.bar.valueChanged.connect(self.lanes.set_offset)
        self.transport.play_toggled.connect(self.play_toggled)
        self.transport.step_requested.connect(self.step_requested)
        self.range_bar.in_requested.connect(lambda: self.set_range_in(self._frame))
        self.range_bar.out_requested.connect(lambda: self.set_range_out(self._frame))
        self.range_bar.clear_requested.connect(self.clear_range)
        self.lanes.person_selected.connect(self.person_selected)
        self.lanes.scrolled.connect(self._show_lane)
        self.glass.seek.connect(self.frame_requested)
        self.glass.zoomed.connect(lambda factor, x: self._set_scale(self._scale.zoomed(factor, x)))
        self.glass.panned.connect(lambda part: self._set_scale(self._scale.panned(part * self._scale.span)))
        self.glass.everything.connect(self.show_everything)
        self.glass.hovered.connect(self._describe)
        theme.notifier().changed.connect(self.update)

    @property
    def scale(self) -> Scale:
        """Frames on show."""
        return self._scale

    def sizeHint(self) -> QSize:
        """About 232 high; a little more for every person after the third."""
        more = min(max(len(self._lanes) - 3, 0), _MOST_LANES - 3)
        return QSize(1200, 232 + more * LEAST_PITCH)

    def set_footage(self, n_frames: int, times: npt.NDArray[np.float64], fps: float) -> None:
        """Other footage: everything is shown, the range is forgotten.

        ``times`` (N,) seconds; where it is shorter than the footage it is continued at ``fps``.
        """
        times = np.asarray(times, np.float64)
        if len(times) < n_frames:
            start = times[-1] + 1.0 / fps if len(times) else 0.0
            times = np.concatenate((times, start + np.arange(n_frames - len(times)) / max(fps, 1e-6)))
        self._n_frames = n_frames
        self._times = times[:n_frames]
        self._frame = 0
        self.ruler.set_times(self._times)
        self.glass.set_times(self._times)
        self.glass.set_frame(0)
        self._store_range(None, None)
        self._set_scale(Scale.whole(n_frames, self._strip_width()))

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """Show these people."""
        resized = len(lanes) != len(self._lanes)
        self._lanes = tuple(lanes)
        self.lanes.set_lanes(lanes)
        self.plot.set_lanes(lanes)
        if resized:
            # Six lanes and a plot that can be read; more people scroll.
            shown = min(max(len(lanes), 1), _MOST_LANES)
            needed = _TOP + _COVERAGE + _RULER + 10 + _LEAST_PLOT + shown * LEAST_PITCH
            self.setMinimumHeight(max(_LEAST_HEIGHT, needed))
            self.updateGeometry()
        self._arrange()

    def set_coverage(self, coverage: npt.NDArray[np.uint8] | None) -> None:
        """(N,) uint8 values of the coverage lane; None where nothing has run."""
        self.coverage.set_coverage(coverage)

    def set_tolerance(self, mm: float) -> None:
        """The expected error that is still tolerated."""
        self._tolerance = mm
        self.plot.set_tolerance(mm)
        self.lanes.set_tolerance(mm)
        self.update()

    def set_frame(self, frame: int) -> None:
        """Move the cursor; a zoomed view follows it."""
        self._frame = min(max(frame, 0), max(self._n_frames - 1, 0))
        revealed = self._scale.revealing(self._frame)
        if revealed != self._scale:
            self._set_scale(revealed)
        self.glass.set_frame(self._frame)
        self.ruler.set_cursor(self._scale.x(self._frame))

    def set_playing(self, playing: bool, speed: float) -> None:
        """Show what the play button will do, and the speed."""
        self.transport.set_playing(playing, speed)

    def set_selected_person(self, person_id: int | None) -> None:
        """Mark one person in names and plot."""
        self.lanes.set_selected(person_id)
        self.plot.set_selected(person_id)

    def range(self) -> tuple[int, int] | None:
        """First and last frame of the range (inclusive), or None."""
        first, last = self._range
        if first is None and last is None:
            return None
        return (first or 0, self._n_frames - 1 if last is None else last)

    def set_range_in(self, frame: int) -> None:
        """The range begins here; an end that lies before is forgotten."""
        last = self._range[1]
        self._store_range(frame, last if last is None or last >= frame else None)

    def set_range_out(self, frame: int) -> None:
        """The range ends here; a beginning that lies after is forgotten."""
        first = self._range[0]
        self._store_range(first if first is None or first <= frame else None, frame)

    def clear_range(self) -> None:
        """Forget the range."""
        self._store_range(None, None)

    def show_everything(self) -> None:
        """Zoom out."""
        self._set_scale(Scale.whole(self._n_frames, self._strip_width()))

    def _store_range(self, first: int | None, last: int | None) -> None:
        self._range = (first, last)
        self.range_bar.set_range(self.range())
        self.glass.set_range(self.range())
        self._arrange()  # the words of the range need another width
        self.range_changed.emit()

    def _strip_width(self) -> float:
        return float(max(self.width() - LEFT - RIGHT, 1))

    def _set_scale(self, scale: Scale) -> None:
        self._scale = scale
        for part in (self.plot, self.lanes, self.coverage, self.ruler, self.glass):
            part.set_scale(scale)
        self.ruler.set_cursor(scale.x(self._frame) if self._n_frames else None)

    def _arrange(self) -> None:
        width, height = self.width(), self.height()
        strip = int(self._strip_width())
        count = max(len(self._lanes), 1)
        self.transport.setGeometry(0, 6, LEFT - 4, 32)
        bar = min(self.range_bar.sizeHint().width(), strip // 2)
        self.title.setGeometry(LEFT, 12, max(strip - bar - 12, 0), 22)
        self.range_bar.setGeometry(width - bar - 14, 8, bar, 28)
        room = height - _TOP - _COVERAGE - _RULER - 10
        shown = min(count, _MOST_LANES)
        pitch = min(max((room - _PLOT) // shown, LEAST_PITCH), PITCH)
        lanes = min(shown * pitch, room - _LEAST_PLOT)
        plot = room - lanes
        self.plot.setGeometry(LEFT, _TOP, strip, plot)
        top = _TOP + plot + 8
        self.lanes.setGeometry(0, top, width, lanes)
        hidden = self.lanes.content_height - lanes
        self.bar.setGeometry(width - 14, top, 10, lanes)
        self.bar.setRange(0, max(hidden, 0))
        self.bar.setPageStep(lanes)
        self.bar.setSingleStep(self.lanes.pitch)
        self.bar.setVisible(hidden > 0)
        self.coverage.setGeometry(0, top + lanes, width, _COVERAGE)
        ruler = top + lanes + _COVERAGE
        self.ruler.setGeometry(0, ruler, width, _RULER)
        self.glass.setGeometry(
            LEFT - SLACK, _TOP, strip + 2 * SLACK - (10 if hidden > 0 else 0), height - _TOP
        )
        self.glass.set_places(ruler - _TOP, ruler - _TOP)
        self.glass.raise_()

    def _show_lane(self, index: int) -> None:
        top = index * self.lanes.pitch
        bottom = top + self.lanes.pitch - self.lanes.height()
        self.bar.setValue(min(max(self.bar.value(), bottom), top))

    def _describe(self, frame: int) -> None:
        """Say what lies under the pointer, where the title stands otherwise."""
        if frame < 0 or frame >= len(self._times):
            self.title.setText("Expected error, mm")
            return
        words = [f"Frame {frame + 1}", time_text(self._times[frame])]
        there = [
            f"{lane.name} ±{lane.mm[frame]:.0f} mm"
            for lane in self._lanes
            if frame < len(lane.mm) and np.isfinite(lane.mm[frame])
        ]
        words += there[:_MOST_NAMED]
        if len(there) > _MOST_NAMED:
            words.append(f"and {len(there) - _MOST_NAMED} more")
        self.title.setText(
            "   ".join(words) if there or not self._lanes else f"{words[0]}   {words[1]}   nobody"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay everything out again."""
        self._arrange()
        self._set_scale(self._scale.resized(self._strip_width()))

    def changeEvent(self, event: QEvent) -> None:
        """Another font needs another layout."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home, End, plus, minus and zero, where the window has no shortcut of its own."""
        key = Qt.Key(event.key())
        middle = min(max(self._scale.x(self._frame), 0.0), self._scale.width)
        if key == Qt.Key.Key_Left or key == Qt.Key.Key_Right:
            self.step_requested.emit(1 if key == Qt.Key.Key_Right else -1)
        elif key == Qt.Key.Key_Home:
            self.frame_requested.emit(0)
        elif key == Qt.Key.Key_End:
            self.frame_requested.emit(max(self._n_frames - 1, 0))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._set_scale(self._scale.zoomed(1.5, middle))
        elif key == Qt.Key.Key_Minus:
            self._set_scale(self._scale.zoomed(1 / 1.5, middle))
        elif key == Qt.Key.Key_0:
            self.show_everything()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground, the line on top, and what the plot's lines mean."""
        palette = theme.current()
        painter = QPainter(self)
        painter.fillRect(event.rect(), palette.panel)
        painter.fillRect(0, 0, self.width(), 1, palette.line)
        painter.setFont(theme.base_font(11))
        painter.setPen(palette.secondary)
        left = LEFT + int(self._strip_width()) + 5
        top = self.plot.y() + round(self.plot.tolerance_y())
        painter.drawText(left, top + 4, f"{self._tolerance:.0f}")
        painter.drawText(left, self.plot.y() + self.plot.height(), "0")
