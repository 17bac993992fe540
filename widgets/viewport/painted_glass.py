"""What the glass over the picture shows, and what of it lies under a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.review.types import ABSENT, CameraView, PersonScene, Scene, SceneModel
from widgets.viewport import overlay
from widgets.viewport.camera_labels import CameraLabels
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


class PaintedGlass(QWidget):
    """Transparent, over the surface: paints the marks."""

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
        self.waiting = ""
        self.tolerance_mm = 50.0
        self.editable = True
        self.keypoints_shown = True
        self.heat: HeatMap | None = None
        self.stripes: Stripes | None = None
        self.labels = CameraLabels()
        view = viewport.canvas.view
        self.regions = RegionLayer(lambda xy: view.to_screen(xy), lambda x, y: view.to_picture(x, y))
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
        elif self._canvas.space == ROOM:
            self.labels.paint(painter, self._canvas.orbit, (self.width(), self.height()))
        if self._canvas.mode == SPLIT and self._canvas.space == CAMERA:
            x = self._canvas.divider * width
            overlay.draw_divider(painter, x, height)
            overlay.draw_chip(painter, x - 14, height - 14, [("Original", "plain")], right=True)
            overlay.draw_chip(painter, x + 14, height - 14, [("De-identified", "plain")])
        if self.waiting and self._canvas.mode in (DEIDENTIFIED, SPLIT) and not self._canvas.has_covered:
            left = self._canvas.divider * width if self._canvas.mode == SPLIT else 0.0
            overlay.draw_chip(painter, (left + width) / 2, height / 2, [(self.waiting, "plain")], middle=True)
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

    # --- what lies under a point ----------------------------------------------------------------------------

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
