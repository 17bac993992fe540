"""The glass over the picture takes the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)

from widgets.viewport.canvas import CAMERA, ROOM
from widgets.viewport.painted_glass import PaintedGlass

if TYPE_CHECKING:
    from widgets.viewport.view import Viewport

_CLICK = 4.0
_SLACK = 2.0


class Glass(PaintedGlass):
    """Takes the mouse over what it paints."""

    def __init__(self, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._dragging: str | None = None
        self._person_dragged = -1
        self._press = (0.0, 0.0)
        self._last = (0.0, 0.0)
        self._grip = (0.0, 0.0)
        self._wanted: tuple[float, float] | None = None
        # The newest place of the mouse wins; a fit a frame of the screen is enough.
        self._throttle = QTimer(self)
        self._throttle.setSingleShot(True)
        self._throttle.setInterval(8)
        self._throttle.timeout.connect(self._send_drag)
        self.setMouseTracking(True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        x, y = event.position().x(), event.position().y()
        self._press = self._last = (x, y)
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self._on_legend(x, y):
            self._view.legend_pressed.emit()
            return
        camera = self._camera_at(x, y)
        if left and camera is not None:
            self._view.camera_chosen.emit(camera)
            return
        if event.button() == Qt.MouseButton.MiddleButton:
            self._dragging = "pan"
        elif left and self._canvas.space == ROOM:
            self._dragging = "pan" if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else "orbit"
        elif left and self._near_divider(x) and not self.regions.drawing:
            self._dragging = "divider"
        elif left and self._press_region(x, y):
            self._dragging = "region"
        elif left:
            self._press_in_picture(event, x, y)
        self.setCursor(self._cursor(x, y))

    def _press_region(self, x: float, y: float) -> bool:
        """Keypoints lie over regions: a region is taken where no keypoint is."""
        if not self.regions.drawing and self._keypoint_at(x, y) is not None:
            return False
        chosen = self.regions.selected
        taken = self.regions.press(x, y)
        if self.regions.selected != chosen:
            self._view.region_selected.emit(self.regions.selected)
        self.update()
        return taken

    def _press_in_picture(self, event: QMouseEvent, x: float, y: float) -> None:
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and self.editable and self._marks_shown:
            person = self._person_at(x, y)
            if person is not None:
                self._dragging, self._person_dragged = "person", person
                self._view.person_selected.emit(person)
                return
        found = self._keypoint_at(x, y)
        if found is None:
            self._dragging = "pan"
            return
        self.hovered = found
        self._view.person_selected.emit(found[0])
        if self.editable:
            pressed = self.person(found[0])
            assert pressed is not None
            at = self._canvas.view.to_screen(pressed.xy[found[1]])
            self._grip = (float(at[0]) - x, float(at[1]) - y)
            self._dragging = "reach"
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x, y = event.position().x(), event.position().y()
        dx, dy = x - self._last[0], y - self._last[1]
        self._last = (x, y)
        room = self._canvas.space == ROOM
        if self._dragging == "pan":
            (self._canvas.orbit if room else self._canvas.view).pan(dx, dy)
            self._view.refresh()
        elif self._dragging == "orbit":
            self._canvas.orbit.turn(dx, dy)
            self._view.refresh()
        elif self._dragging == "divider":
            self._canvas.divider = min(max(x / max(self.width(), 1), 0.02), 0.98)
            self._view.refresh()
        elif self._dragging == "reach" and self.hovered is not None and self._moved(x, y) >= _SLACK:
            self._dragging = "keypoint"
            self._view.keypoint_taken.emit(*self.hovered)
        if self._dragging == "keypoint":
            self._wanted = self._canvas.view.to_picture(x + self._grip[0], y + self._grip[1])
            if not self._throttle.isActive():
                self._send_drag()
        elif self._dragging == "region" or self.regions.drawing:
            if self.regions.move(x, y):
                self.update()
        elif self._dragging is None:
            self._hover(x, y)

    def _moved(self, x: float, y: float) -> float:
        return float(np.hypot(x - self._press[0], y - self._press[1]))

    def _camera_at(self, x: float, y: float) -> int | None:
        """The camera whose name lies there, in the room."""
        return self.labels.at(x, y) if self._canvas.space == ROOM else None

    def _hover(self, x: float, y: float) -> None:
        camera = self._camera_at(x, y)
        if camera != self.labels.hovered:
            self.labels.hovered = camera
            self.update()
        found = self._keypoint_at(x, y)
        if found != self.hovered:
            self.hovered = found
            self._view.keypoint_hovered.emit(*(found or (-1, -1)))
            self.update()
        vertex = self._vertex_at(x, y) if found is None else None
        if vertex != self.vertex:
            self.vertex = vertex
            self._view.vertex_hovered.emit(*(vertex or (-1, -1)))
            self.update()
        self.setCursor(self._cursor(x, y))

    def _cursor(self, x: float, y: float) -> Qt.CursorShape:
        if self._dragging == "pan":
            return Qt.CursorShape.ClosedHandCursor
        if self._on_legend(x, y) or self._camera_at(x, y) is not None:
            return Qt.CursorShape.PointingHandCursor
        if self._near_divider(x) and not self.regions.drawing:
            return Qt.CursorShape.SplitHCursor
        over_region = self.regions.cursor(x, y) if self._canvas.space == CAMERA else None
        if over_region is not None and (self.regions.drawing or self._keypoint_at(x, y) is None):
            return over_region
        if self._keypoint_at(x, y) is not None:
            return Qt.CursorShape.PointingHandCursor if self.editable else Qt.CursorShape.ArrowCursor
        return Qt.CursorShape.ArrowCursor

    def _send_drag(self) -> None:
        if self._wanted is not None and self._dragging == "keypoint":
            x, y = self._wanted
            self._wanted = None
            self._throttle.start()
            self._view.keypoint_dragged.emit(x, y)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        kind, self._dragging = self._dragging, None
        x, y = event.position().x(), event.position().y()
        moved = self._moved(x, y)
        if kind == "keypoint":
            self._throttle.stop()
            if self._wanted is not None:
                self._view.keypoint_dragged.emit(*self._wanted)
                self._wanted = None
            self._view.keypoint_released.emit()
        elif kind == "region":
            self._tell_region(self.regions.release(x, y))
        elif kind == "person" and moved >= _CLICK:
            scale = self._canvas.view.scale
            self._view.person_moved.emit(
                self._person_dragged, (x - self._press[0]) / scale, (y - self._press[1]) / scale
            )
        elif kind == "pan" and moved < _CLICK and event.button() == Qt.MouseButton.LeftButton:
            person = self._person_at(x, y) if self._canvas.space == CAMERA else None
            if person is not None:
                self._view.person_selected.emit(person)
        self.setCursor(self._cursor(x, y))

    def _tell_region(self, done: tuple[str, int, npt.NDArray[np.float32]] | None) -> None:
        if done is not None:
            what, region, points = done
            if what == "drawn":
                self._view.region_drawn.emit(points)
            else:
                self._view.region_placed.emit(region, points)
        self.update()

    def cancel(self) -> bool:
        """Escape: what was being dragged goes back."""
        if self.regions.cancel():
            if self._dragging == "region":
                self._dragging = None
            self.update()
            return True
        if self._dragging not in ("keypoint", "person", "reach"):
            return False
        was, self._dragging = self._dragging, None
        self._throttle.stop()
        self._wanted = None
        if was == "keypoint":
            self._view.drag_cancelled.emit()
        return True

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.regions.drawing:
            self._tell_polygon()
            return
        at = event.position()
        if self._camera_at(at.x(), at.y()) is not None:
            return
        if event.button() == Qt.MouseButton.LeftButton and self._keypoint_at(
            event.position().x(), event.position().y()
        ) is None:  # fmt: skip
            self._view.fit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        found = self._keypoint_at(event.pos().x(), event.pos().y())
        region = self.regions.region_at(event.pos().x(), event.pos().y())
        if found is None and region is not None and self.editable and self._canvas.space == CAMERA:
            self.regions.selected = region
            self._view.region_selected.emit(region)
            self._view.region_menu_wanted.emit(region, event.globalPos())
            self.update()
            return
        if found is not None and self.editable:
            self.hovered = found
            self._view.person_selected.emit(found[0])
            self._view.visibility_wanted.emit(found[0], found[1], event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._dragging in ("keypoint", "person"):
            return
        factor = 1.0015 ** event.angleDelta().y()
        if self._canvas.space == ROOM:
            self._canvas.orbit.dolly(factor)
        else:
            self._canvas.view.zoom_at(factor, event.position().x(), event.position().y())
        self._view.refresh()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        if self._dragging is None and (self.hovered is not None or self.vertex is not None):
            self.hovered = self.vertex = None
            self._view.keypoint_hovered.emit(-1, -1)
            self._view.vertex_hovered.emit(-1, -1)
            self.update()

    def _tell_polygon(self) -> None:
        points = self.regions.close_polygon()
        self._tell_region(None if points is None else ("drawn", 0, points))

    def drawing_key(self, key: int) -> bool:
        """Enter closes a polygon, Backspace takes its newest corner back; False where it means nothing."""
        if not self.regions.drawing:
            return False
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell_polygon()
            return True
        if key == Qt.Key.Key_Backspace and self.regions.drop_corner():
            self.update()
            return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()
