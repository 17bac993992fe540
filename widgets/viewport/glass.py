"""The glass over the picture: paints the marks and takes the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.review.types import ABSENT, CameraView, PersonScene, Scene, SceneModel
from widgets.viewport import overlay
from widgets.viewport.canvas import CAMERA, DEIDENTIFIED, MESHES, ORIGINAL, ROOM, SPLIT
from widgets.viewport.probe import Probe, reach_in_picture
from widgets.viewport.regions import DRAWING_HINT, RegionLayer

if TYPE_CHECKING:
    from widgets.viewport.heat_map import HeatMap
    from widgets.viewport.stripes import Stripes
    from widgets.viewport.view import Viewport

_REACH = 14.0
"""Logical pixels from which a keypoint can be taken."""
_DIVIDER_REACH = 9.0
_CLICK = 4.0
_SLACK = 2.0


class Glass(QWidget):
    """Transparent, over the surface: paints the marks and takes the mouse."""

    def __init__(self, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._view = viewport
        self._canvas = viewport.canvas
        self.model: SceneModel | None = None
        self.scene: Scene | None = None
        self.selected: int | None = None
        self.hovered: tuple[int, int] | None = None
        self.camera: CameraView | None = None
        self.vertex: tuple[int, int] | None = None
        self.vertex_words = ("", "", "")
        self.limit_mm = float("inf")
        self._probe = Probe()
        self._legend = QRectF()
        self.frame_text = ("", "", "")
        self.tolerance_mm = 50.0
        self.editable = True
        self.keypoints_shown = True
        self.heat: HeatMap | None = None
        self.stripes: Stripes | None = None
        view = viewport.canvas.view
        self.regions = RegionLayer(lambda xy: view.to_screen(xy), lambda x, y: view.to_picture(x, y))
        self._dragging: str | None = None
        self._person_dragged = -1
        self._press = (0.0, 0.0)
        self._last = (0.0, 0.0)
        self._grip = (0.0, 0.0)
        self._wanted: tuple[float, float] | None = None
        # The newest place of the mouse wins; a fit a frame of the screen is enough.
        self._throttle = QTimer(self)
        self._throttle.setSingleShot(True)
        self._throttle.setInterval(12)
        self._throttle.timeout.connect(self._send_drag)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    # --- state --------------------------------------------------------------------------------

    def set_scene(self, scene: Scene | None) -> None:
        """What is in the frame."""
        self.scene = scene
        if self.hovered is not None and self.person(self.hovered[0]) is None:
            self.hovered = None
        self.update()

    def set_person(self, person: PersonScene) -> None:
        """One person has changed."""
        if self.scene is not None:
            people = tuple(person if p.person_id == person.person_id else p for p in self.scene.people)
            self.scene = Scene(self.scene.frame, self.scene.processed, people)
        self.update()

    def person(self, person_id: int) -> PersonScene | None:
        """Somebody of this frame."""
        people = self.scene.people if self.scene is not None else ()
        return next((p for p in people if p.person_id == person_id), None)

    @property
    def _marks_shown(self) -> bool:
        return self._canvas.mode == MESHES and self._canvas.space == CAMERA and self.keypoints_shown

    @property
    def _heat_shown(self) -> bool:
        if self.heat is None or self.scene is None or self.scene.frame != self.heat.frame:
            return False
        return self._canvas.mode in (ORIGINAL, MESHES) and self._canvas.space == CAMERA

    def _visible_people(self) -> list[PersonScene]:
        people = [p for p in self.scene.people if not p.hidden] if self.scene is not None else []
        return sorted(people, key=lambda p: p.person_id == self.selected)  # the selected one on top

    # --- painting -----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.model is None:
            return
        painter = QPainter(self)
        try:
            self._paint(painter)
        finally:
            painter.end()  # one that outlives the event, in a traceback say, ends the process

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height = float(self.width()), float(self.height())
        if self._heat_shown and self.heat is not None:
            self.heat.draw(painter, self._canvas.view.to_screen, self._canvas.view.picture)
        if self._marks_shown:
            for person in self._visible_people():
                hovered = self.hovered[1] if self.hovered and self.hovered[0] == person.person_id else None
                strong = self.selected is None or person.person_id == self.selected
                screen = self._canvas.view.to_screen(person.xy)
                assert self.model is not None
                overlay.draw_details(painter, person, self._canvas.view.to_screen, strong=strong)
                overlay.draw_person(painter, self.model, person, screen, strong=strong, hovered=hovered)
        if self._canvas.space == CAMERA:
            self._paint_stripes(painter, height)
            self.regions.paint(painter)
            if self.regions.drawing:
                overlay.draw_chip(painter, 14, height - 14, [(DRAWING_HINT, "name")])
        if self._canvas.mode == SPLIT and self._canvas.space == CAMERA:
            x = self._canvas.divider * width
            overlay.draw_divider(painter, x, height)
            overlay.draw_chip(painter, x - 14, height - 14, [("Original", "plain")], right=True)
            overlay.draw_chip(painter, x + 14, height - 14, [("De-identified", "plain")])
        frame, time, note = self.frame_text
        if frame:
            parts = [(frame, "name"), (time, "name")] + ([(note, "plain")] if note else [])
            overlay.draw_chip(painter, 14, 14 + 26, parts)
        if self.scene is None:
            return
        if self._canvas.mode == MESHES:
            if any(p.vertices is not None for p in self.scene.people):
                self._legend = overlay.draw_legend(
                    painter, width - 12, height - 12, self.tolerance_mm, self.limit_mm
                )
            self._paint_hovered(painter, height)

    def _paint_stripes(self, painter: QPainter, height: float) -> None:
        stripes = self.stripes
        if stripes is None or self.scene is None or stripes.frame != self.scene.frame:
            return
        if self._canvas.mode not in (DEIDENTIFIED, SPLIT):
            return
        stripes.draw(painter, self._canvas.view.to_screen)
        if not self.regions.drawing and self._canvas.mode == DEIDENTIFIED:
            words = f"{100 * stripes.share:.0f} % of the room was never seen and is filled in"
            overlay.draw_chip(painter, 14, height - 14, [("Striped", "name"), (words, "plain")])

    def _paint_hovered(self, painter: QPainter, height: float) -> None:
        if self.model is None or self._canvas.space != CAMERA:
            return
        if self.hovered is None:
            if self.vertex is not None and self.vertex_words[0]:
                roles = ("name", "strong", "plain")
                overlay.draw_chip(
                    painter, 14, height - 14, [(w, r) for w, r in zip(self.vertex_words, roles) if w]
                )
            return
        person = self.person(self.hovered[0])
        if person is None:
            return
        k = self.hovered[1]
        parts = [(self.model.keypoint_labels[k], "name")]
        parts.append((f"±{person.keypoint_mm[k]:.0f} mm", "strong"))
        bound = np.nan if person.keypoint_bound_mm is None else float(person.keypoint_bound_mm[k])
        if np.isfinite(bound):
            parts.append((f"9 of 10 within {bound:.0f} mm", "plain"))
        if person.reasons[k]:
            parts.append((f"· {person.reasons[k]}" if np.isfinite(bound) else person.reasons[k], "plain"))
        overlay.draw_chip(painter, 14, height - 14, parts)

    # --- the mouse ----------------------------------------------------------------------------

    def _keypoint_at(self, x: float, y: float) -> tuple[int, int] | None:
        if not self._marks_shown or self.model is None:
            return None
        best, found = _REACH, None
        for person in self._visible_people():
            screen = self._canvas.view.to_screen(person.xy)
            away = np.hypot(screen[:, 0] - x, screen[:, 1] - y)
            away[person.visibility == ABSENT] = np.inf
            # Of two equally near ones the selected person's is meant.
            bonus = 3.0 if person.person_id == self.selected else 0.0
            k = int(np.argmin(away))
            if away[k] - bonus < best:
                best, found = float(away[k]) - bonus, (person.person_id, k)
        return found

    def _vertex_at(self, x: float, y: float) -> tuple[int, int] | None:
        shown = self._canvas.mode == MESHES and self._canvas.space == CAMERA and self._canvas.bodies_shown
        if not shown or self.regions.drawing:
            return None
        view = self._canvas.view
        px, py = view.to_picture(x, y)
        hit = self._probe.hit(
            self._visible_people(), self.camera, float(px), float(py), reach_in_picture(view.scale)
        )
        return None if hit is None else (hit.person, hit.vertex)

    def _on_legend(self, x: float, y: float) -> bool:
        return self._canvas.mode == MESHES and self._legend.contains(x, y)

    def _person_at(self, x: float, y: float) -> int | None:
        px, py = self._canvas.view.to_picture(x, y)
        best, found = np.inf, None
        for person in self._visible_people():
            seen = person.visibility != ABSENT
            if not seen.any():
                continue
            low, high = person.xy[seen].min(axis=0), person.xy[seen].max(axis=0)
            pad = 0.08 * float(np.hypot(*(high - low)))
            if low[0] - pad <= px <= high[0] + pad and low[1] - pad <= py <= high[1] + pad:
                area = float(np.prod(high - low + 1))
                if area < best:
                    best, found = area, person.person_id
        return found

    def _near_divider(self, x: float) -> bool:
        on = self._canvas.mode == SPLIT and self._canvas.space == CAMERA
        return on and abs(x - self._canvas.divider * self.width()) < _DIVIDER_REACH

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        x, y = event.position().x(), event.position().y()
        self._press = self._last = (x, y)
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self._on_legend(x, y):
            self._view.legend_pressed.emit()
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
            person = self.person(found[0])
            assert person is not None
            at = self._canvas.view.to_screen(person.xy[found[1]])
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
            self._canvas.update()
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

    def _hover(self, x: float, y: float) -> None:
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
        if self._on_legend(x, y):
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
