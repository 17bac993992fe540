"""The viewport: the surface with the picture and bodies, and the glass over it that takes the mouse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.review.privacy import LeakMark, RegionOutline
from app.review.types import CameraView, PersonScene, Scene, SceneModel
from widgets import theme
from widgets.viewport.canvas import CAMERA, DEIDENTIFIED, MESHES, ORIGINAL, ROOM, SPLIT, GLCanvas
from widgets.viewport.glass import Glass
from widgets.viewport.heat_map import HeatMap
from widgets.viewport.stripes import Stripes

U1 = npt.NDArray[np.uint8]


class Viewport(QWidget):
    """Shows a frame and lets a person take hold of keypoints.

    Signals:
        keypoint_taken(person, keypoint), keypoint_dragged(x, y) in picture pixels,
        keypoint_released(), drag_cancelled(): one drag of a keypoint.
        person_moved(person, dx, dy): Alt+drag, picture pixels.
        person_selected(person), keypoint_hovered(person, keypoint) with -1 for none.
        visibility_wanted(person, keypoint, QPoint): the right button on a keypoint.
        vertex_hovered(person, vertex): the pointer is on a body, beside keypoints; -1 for none.
        legend_pressed(): the meaning of the colours was pressed.
        region_drawn(points): a new region, (P, 2) pixels of the picture; region_placed(region, points): one
        was moved or bent; region_selected(region or None); region_menu_wanted(region, QPoint);
        region_removed(region): the delete key.
        camera_chosen(number): a camera was pressed in the room.
    """

    keypoint_taken = Signal(int, int)
    keypoint_dragged = Signal(float, float)
    keypoint_released = Signal()
    drag_cancelled = Signal()
    person_moved = Signal(int, float, float)
    person_selected = Signal(int)
    keypoint_hovered = Signal(int, int)
    visibility_wanted = Signal(int, int, QPoint)
    vertex_hovered = Signal(int, int)
    legend_pressed = Signal()
    region_drawn = Signal(object)
    region_placed = Signal(int, object)
    region_selected = Signal(object)
    region_menu_wanted = Signal(int, QPoint)
    region_removed = Signal(int)
    camera_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = GLCanvas()
        self._surface = self.canvas.widget
        self._surface.setParent(self)
        self._surface.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._surface.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._glass = Glass(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 200)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Picture with bodies and keypoints")
        theme.notifier().changed.connect(self.refresh)

    # --- what is shown ------------------------------------------------------------------------

    def set_model(
        self, model: SceneModel | None, camera: CameraView | None, *, same_room: bool = False
    ) -> None:
        """Another project, or none; ``same_room``: the room is looked at from where it was."""
        self._glass.model = model
        self._glass.scene = None
        self._glass.hovered = self._glass.vertex = None
        self._glass.camera = camera
        self.canvas.set_model(model, camera, same_room=same_room)
        self.refresh()

    def set_cameras(self, cameras: Sequence[tuple[int, str, CameraView]], current: int) -> None:
        """Number, name and place of the room's cameras, and which of them is looked through."""
        self.canvas.cameras = self._glass.labels.cameras = tuple(cameras)
        self.canvas.current_camera = self._glass.labels.current = current
        self.refresh()

    def set_picture(self, image: U1 | None) -> None:
        """The frame as filmed."""
        self.canvas.set_picture(image)

    def set_covered(self, image: U1 | None) -> None:
        """The frame as it will be exported."""
        self.canvas.set_covered(image)

    def set_scene(self, scene: Scene | None) -> None:
        """Bodies and keypoints of the frame."""
        self._glass.set_scene(scene)
        self.canvas.set_scene(scene)

    def set_person(self, person: PersonScene) -> None:
        """One person has changed (under the hand)."""
        self._glass.set_person(person)
        self.canvas.set_person(person)

    def set_mode(self, mode: str) -> None:
        """One of "original", "meshes", "deidentified", "split"."""
        self.canvas.mode = mode
        self.refresh()

    def set_space(self, space: str) -> None:
        """ "camera" or "room"."""
        self.canvas.show_space(space)
        self.refresh()

    def set_selected(self, person: int | None) -> None:
        """Whose keypoints stand out."""
        self._glass.selected = person
        self._glass.update()

    def set_hovered(self, keypoint: int | None) -> None:
        """A keypoint of the selected person is pointed at elsewhere (in the table)."""
        person = self._glass.selected
        self._glass.hovered = None if keypoint is None or person is None else (person, keypoint)
        self._glass.update()

    def set_text(self, frame_text: str, time_text: str, note: str = "") -> None:
        """The chip at the top left."""
        self._glass.frame_text = (frame_text, time_text, note)
        self._glass.update()

    def set_waiting(self, text: str) -> None:
        """Why there is no de-identified picture yet, in its place; "" takes it away."""
        if text != self._glass.waiting:
            self._glass.waiting = text
            self._glass.update()

    def set_tolerance(self, mm: float) -> None:
        """For the legend."""
        self._glass.tolerance_mm = mm
        self._glass.update()

    def set_limit(self, mm: float) -> None:
        """Parts of bodies that are expected to be farther off are grey; infinity for none."""
        self._glass.limit_mm = mm
        self.canvas.set_limit(mm)
        self._glass.update()

    def set_vertex_words(self, words: tuple[str, str, str]) -> None:
        """What the vertex under the pointer is: part, figure, the rest."""
        self._glass.vertex_words = words
        self._glass.update()

    def set_editable(self, editable: bool) -> None:
        """Whether keypoints can be taken."""
        self._glass.editable = self._glass.regions.editable = editable

    def set_heat(self, heat: HeatMap | None) -> None:
        """A heat map over its frame, or none."""
        self._glass.heat = heat
        self._glass.update()

    def set_regions(self, outlines: Sequence[RegionOutline], leaks: Sequence[LeakMark]) -> None:
        """Free regions of the frame, and where the audit found somebody in it."""
        self._glass.regions.outlines, self._glass.regions.leaks = outlines, leaks
        self._glass.update()

    @property
    def region(self) -> int | None:
        """The region that is chosen."""
        return self._glass.regions.selected

    def select_region(self, region: int | None) -> None:
        """Choose a region, or none."""
        self._glass.regions.selected = region
        self._glass.update()

    def draw_region(self) -> None:
        """From now on the mouse draws a region; Escape ends it."""
        self._glass.regions.begin()
        self._glass.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._glass.update()

    @property
    def drawing_region(self) -> bool:
        """True while a region is being drawn."""
        return self._glass.regions.drawing

    def set_stripes(self, stripes: Stripes | None) -> None:
        """Which parts of the empty room were never seen, or nothing."""
        self._glass.stripes = stripes
        self._glass.update()

    def set_keypoints_shown(self, shown: bool) -> None:
        """Skeletons and keypoints on or off."""
        self._glass.keypoints_shown = shown
        self._glass.update()

    def set_opacity(self, opacity: float) -> None:
        """Of the bodies, in [0, 1]."""
        self.canvas.opacity = opacity
        self.canvas.bodies_shown = opacity > 0.01
        self.canvas.update()

    def set_wireframe(self, wireframe: bool) -> None:
        """Draw the bodies' edges only."""
        self.canvas.wireframe = wireframe
        self.canvas.update()

    def fit(self) -> None:
        """Show everything."""
        if self.canvas.space == ROOM:
            self.canvas.centre_room()
        else:
            self.canvas.view.fit()
        self.refresh()

    def zoom(self, factor: float) -> None:
        """Zoom about the middle."""
        if self.canvas.space == ROOM:
            self.canvas.orbit.dolly(factor)
        else:
            self.canvas.view.zoom_at(factor, self.width() / 2, self.height() / 2)
        self.refresh()

    def screen_position(self, person: int, keypoint: int) -> tuple[float, float] | None:
        """Where a keypoint is, in this widget's pixels."""
        found = self._glass.person(person)
        if found is None:
            return None
        x, y = self.canvas.view.to_screen(found.xy[keypoint])
        return float(x), float(y)

    def refresh(self) -> None:
        """Draw again."""
        self.canvas.update()
        self._glass.update()

    def cancel_drag(self) -> bool:
        """Put back what is being dragged; False where nothing was."""
        return self._glass.cancel()

    def event(self, event: QEvent) -> bool:
        """Keys that mean something to a region are not for the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            key, drawing = event.key(), self._glass.regions.drawing
            of_drawing = drawing and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace)
            if of_drawing or (key == Qt.Key.Key_Delete and self.region is not None):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape puts back what is being dragged."""
        if event.key() == Qt.Key.Key_Delete and self.region is not None and self._glass.editable:
            self.region_removed.emit(self.region)
            event.accept()
            return
        if (event.key() == Qt.Key.Key_Escape and self.cancel_drag()) or self._glass.drawing_key(event.key()):
            event.accept()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt's hook."""
        self._surface.setGeometry(self.rect())
        self._glass.setGeometry(self.rect())
        self.canvas.view.screen = (max(1, self.width()), max(1, self.height()))
        self._glass.raise_()


__all__ = ["CAMERA", "DEIDENTIFIED", "MESHES", "ORIGINAL", "ROOM", "SPLIT", "Viewport"]
