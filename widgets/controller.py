"""The project on the desk: what is shown, where we are, who is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import UnderstudyError
from app.review.session import Session
from app.review.types import LEAK_ITEM, ReviewItem, Scene, SceneModel
from widgets.bridge import Bridge
from widgets.desk import Desk
from widgets.playback import Playback

U1 = npt.NDArray[np.uint8]

_BIT_MS = 60
"""Between two parts of the window that are brought up to date while results come in."""


def time_text(seconds: float) -> str:
    """ "00:03.333", with hours where there are any."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{minutes:02d}:{rest:06.3f}"
    return f"{hours}:{text}" if hours else text


class Controller(QObject):
    """Shows one project on the desk and keeps everything in step.

    Signals: opened(session or None); results_changed(); scene_shown(frame); item_shown();
    failed(message).
    """

    opened = Signal(object)
    results_changed = Signal()
    scene_shown = Signal(int)
    item_shown = Signal()
    failed = Signal(str)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.bridge = Bridge(self)
        self.playback = Playback(self._play_to, self)
        self.session: Session | None = None
        self._model: SceneModel | None = None
        self.frame = 0
        self.person: int | None = None
        self.mode, self.space = "meshes", "camera"
        self.item: str | None = None
        self.dragging = False
        self.whole_room: Callable[[Scene], Scene] = lambda scene: scene
        """Adds the bodies that only the room's other cameras show."""
        self._covered_frame = -1
        self._direction = 0
        self._note = ""
        self._todo: list[Callable[[], None]] = []
        self._bits = QTimer(self)
        self._bits.setInterval(_BIT_MS)
        self._bits.timeout.connect(self._next_bit)
        self._connect()

    def _connect(self) -> None:
        d = self.desk
        d.timeline.frame_requested.connect(self.go_to)
        d.timeline.step_requested.connect(lambda n: self.go_to(self.frame + n))
        d.timeline.play_toggled.connect(self.playback.toggle)
        d.timeline.person_selected.connect(self.select_person)
        d.people.selected.connect(self.select_person)
        d.people.go_requested.connect(self.go_to)
        d.review.activated.connect(self.show_item)
        d.viewport.person_selected.connect(self.select_person)
        d.viewport.keypoint_hovered.connect(self._hovered)
        d.keypoints.selected.connect(d.viewport.set_hovered)
        d.keypoints.hovered.connect(lambda k: d.viewport.set_hovered(k if k >= 0 else None))
        d.toolbar.mode_chosen.connect(self.set_mode)
        d.toolbar.space_chosen.connect(self.set_space)
        d.toolbar.opacity_changed.connect(d.viewport.set_opacity)
        self.playback.changed.connect(d.timeline.set_playing)

    # --- opening and closing ------------------------------------------------------------------

    def open(self, session: Session) -> None:
        """Put a project on the desk."""
        self.close()
        self._take(session)
        people = session.people()
        self.person = people[0].person_id if people else None
        self.desk.viewport.set_model(session.model, session.camera)
        self.set_mode("meshes")
        self.set_space("camera")
        self.show_results()
        self.go_to(0)
        self.opened.emit(session)

    def switch(self, session: Session, frame: int, person: int | None) -> None:
        """Another camera of the same room; the one before stays open, and what is shown stays as it is."""
        self.playback.stop()
        if self.session is not None:
            self.session.changed = lambda: None
        self._bits.stop()
        self._take(session)
        self.person = person
        self.desk.viewport.set_model(session.model, session.camera, same_room=True)
        self._covered_frame = -1
        self._note = ""
        self.go_to(frame)
        self.show_results()
        self.opened.emit(session)

    def _take(self, session: Session) -> None:
        self.session = session
        session.changed = self.bridge.to_window(self._background_ready)
        d = self.desk
        self.frame, self.item = 0, None
        d.toolbar.set_project(session.project_path.name, read_only=session.read_only)
        self._model = session.model
        d.viewport.set_editable(not session.read_only)
        d.timeline.set_footage(session.n_frames, session.times, session.fps)
        d.status.set_device(session.device_label)
        d.status.set_saved("Read only" if session.read_only else "Saved")
        self.playback.set_footage(session.n_frames, session.fps)

    def close(self) -> None:
        """Take the project off the desk."""
        if self.session is None:
            return
        self.playback.stop()
        session, self.session = self.session, None
        session.changed = lambda: None
        self.desk.viewport.set_model(None, None)
        session.close()
        self.opened.emit(None)

    # --- what is shown ------------------------------------------------------------------------

    def show_results(self) -> None:
        """Everything that depends on results and edits."""
        if self.session is None:
            return
        self._show_people()
        self._show_timeline()
        self._show_review()
        self.show_scene()
        self.results_changed.emit()

    def _show_timeline(self) -> None:
        if self.session is not None:
            self.desk.timeline.set_lanes(self.session.lanes())
            self.desk.timeline.set_coverage(self.session.coverage() if self.session.has_results else None)
            self.desk.timeline.set_selected_person(self.person)

    def _show_review(self) -> None:
        if self.session is not None:
            self.desk.review.set_items(self.session.review_items())
            self.desk.deid.set_settings(self.session.deid)
            self.desk.deid.set_rows(self.session.plan_rows(), editable=not self.session.read_only)
            self.desk.deid.set_plate_state(self.session.plate_state)

    def show_results_soon(self) -> None:
        """The same bit by bit, so that the window never holds still while results come in."""
        if not self._bits.isActive():
            self._todo = [self._show_people, self._show_timeline, self._show_review, self._show_rest]
            self._bits.start()

    def _show_people(self) -> None:
        if self.session is None:
            return
        people = self.session.people()
        if all(p.person_id != self.person for p in people):
            self.person = people[0].person_id if people else None
        self.desk.people.set_people(people)
        self.desk.people.set_selected(self.person)

    def _show_rest(self) -> None:
        if self.session is not None:
            self.show_scene()
            self.results_changed.emit()

    def _next_bit(self) -> None:
        if self._todo:
            self._todo.pop(0)()
        if not self._todo:
            self._bits.stop()

    def show_scene(self) -> Scene | None:
        """Bodies and keypoints of the current frame."""
        s = self.session
        if s is None or self.dragging:
            return None
        if s.model is not self._model:  # a run has given the people another body
            self._model = s.model
            self.desk.viewport.set_model(s.model, s.camera)
        scene = s.scene(self.frame)
        self.desk.viewport.canvas.set_camera(s.camera)
        self.desk.viewport.set_scene(self.whole_room(scene) if self.space == "room" else scene)
        self.desk.viewport.set_selected(self.person)
        self._show_table(scene)
        self._show_text(scene)
        self.scene_shown.emit(self.frame)
        return scene

    def _show_table(self, scene: Scene) -> None:
        person = next((p for p in scene.people if p.person_id == self.person), None)
        assert self.session is not None
        absent = self.desk.people.name_of(self.person) if person is None else ""
        self.desk.keypoints.set_person(person, self.session.model, self.session.tolerance_mm, absent=absent)

    def _show_text(self, scene: Scene | None = None) -> None:
        s = self.session
        if s is None:
            return
        note = self._note
        if not note and scene is not None and not scene.processed and self.mode != "original":
            note = "not processed yet"
        elif not note and scene is not None and not scene.people and self.mode == "meshes":
            note = "nobody in this frame"
        self.desk.viewport.set_text(
            f"Frame {self.frame + 1} / {s.n_frames}", time_text(float(s.times[self.frame])), note
        )

    def note(self, text: str) -> None:
        """A word in the picture's chip; "" takes it away."""
        self._note = text
        self._show_text()

    # --- where we are -------------------------------------------------------------------------

    def go_to(self, frame: int) -> None:
        """Show a frame."""
        self._direction = 1 if frame >= self.frame else -1
        self._request(frame)
        self.playback.moved_to(self.frame)

    def _play_to(self, frame: int, direction: int) -> None:
        self._direction = direction
        self._request(frame)

    def _request(self, frame: int) -> None:
        s = self.session
        if s is None or self.dragging:
            return
        self.frame = min(max(frame, 0), s.n_frames - 1)
        self.desk.timeline.set_frame(self.frame)
        s.request_frame(
            self.frame, self.bridge.to_window(self._frame_arrived), direction=self._direction,
            on_error=self.bridge.to_window(self._frame_failed),
        )  # fmt: skip

    def _frame_arrived(self, frame: int, image: U1) -> None:
        if self.session is None or frame != self.frame:
            return
        self._note = ""
        self.desk.viewport.set_picture(image)
        self.show_scene()
        self.playback.shown()
        self._want_covered()

    def _frame_failed(self, frame: int, message: str) -> None:
        self.playback.shown()
        if frame == self.frame:
            self.playback.stop()
            self.desk.viewport.set_picture(None)
            self.note("cannot be read")
            self.desk.status.show_message(message)

    # --- de-identified picture ----------------------------------------------------------------

    def _want_covered(self) -> None:
        s = self.session
        if s is None or self.mode not in ("deidentified", "split"):
            return
        if self._covered_frame != self.frame:
            self.note("covering…" if not self.playback.playing else "")
        self.desk.viewport.set_waiting("Covering people…")
        s.preview_deidentified(
            self.frame,
            self.bridge.to_window(self._covered_arrived),
            self.bridge.to_window(self._room_learnt),
            self.bridge.to_window(self._covering_failed),
        )

    def _room_learnt(self, share: float) -> None:
        if self.session is not None:
            self.desk.viewport.set_waiting(f"Learning the empty room… {100 * share:.0f} %")

    def _covering_failed(self, message: str) -> None:
        self.desk.viewport.set_covered(None)
        self.desk.viewport.set_waiting("Cannot be covered as it should be")
        self.note("")
        self.desk.status.show_message(message, lasting=True)

    def _covered_arrived(self, frame: int, image: U1) -> None:
        if self.session is None or self.mode not in ("deidentified", "split"):
            return
        self._covered_frame = frame
        self.desk.viewport.set_waiting("")
        self.desk.viewport.set_covered(image)
        if frame == self.frame:
            self.note("")

    def cover_again(self) -> None:
        """The way of covering has changed."""
        self._covered_frame = -1
        if self.session is not None:
            self.desk.deid.set_plate_state(self.session.plate_state)
        self._want_covered()

    def edit(self, change: Callable[[Session], object], failed: Callable[[str], object]) -> bool:
        """Let a person's change happen, show what has become of it; False where it was refused."""
        if self.session is None:
            return False
        try:
            change(self.session)
        except UnderstudyError as error:
            failed(str(error))
            return False
        finally:
            self.show_results()
            self.cover_again()
        return True

    def _background_ready(self) -> None:
        if self.session is not None:
            self.desk.people.set_people(self.session.people())
            self.desk.people.set_selected(self.person)
            self.desk.deid.set_plate_state(self.session.plate_state)
            if self.space == "room":
                self.show_scene()  # how the room lies may be known now

    # --- choices ------------------------------------------------------------------------------

    def set_mode(self, mode: str) -> None:
        """What is shown: original, meshes, deidentified, split."""
        self.mode = mode
        self.desk.toolbar.set_mode(mode)
        if mode in ("deidentified", "split") and self._covered_frame != self.frame:
            self.desk.viewport.set_covered(None)
        self.desk.viewport.set_mode(mode)
        self.note("")
        self._want_covered()
        self.show_scene()

    def set_space(self, space: str) -> None:
        """From where: camera or room."""
        self.space = space
        self.desk.toolbar.set_space(space)
        if space == "room" and self.mode != "meshes":
            self.set_mode("meshes")
        self.desk.viewport.set_space(space)
        self.show_scene()

    def select_person(self, person: int) -> None:
        """Choose somebody."""
        self.person = person
        self.desk.people.set_selected(person)
        self.desk.timeline.set_selected_person(person)
        self.desk.viewport.set_selected(person)
        if self.session is not None and not self.dragging:
            self._show_table(self.session.scene(self.frame))

    def select_number(self, number: int) -> None:
        """Choose the ``number``-th of the list, from 1."""
        people = self.session.people() if self.session is not None else []
        if number <= len(people):
            self.select_person(people[number - 1].person_id)

    def next_person(self) -> None:
        """The next one in the list."""
        if self.session is None:
            return
        ids = [p.person_id for p in self.session.people()]
        if ids:
            at = ids.index(self.person) if self.person in ids else -1
            self.select_person(ids[(at + 1) % len(ids)])

    def _hovered(self, person: int, keypoint: int) -> None:
        self.desk.keypoints.set_hovered(keypoint if person == self.person and keypoint >= 0 else None)

    # --- the review queue ---------------------------------------------------------------------

    def items(self) -> list[ReviewItem]:
        """What is still open, in order."""
        return [i for i in self.session.review_items() if not i.done] if self.session is not None else []

    def show_item(self, item_id: str) -> None:
        """Go to something that wants a look."""
        items = self.session.review_items() if self.session is not None else []
        item = next((i for i in items if i.item_id == item_id), None)
        if item is None:
            return
        self.item = item_id
        self.desk.review.set_current(item_id)
        self.playback.stop()
        if item.person_id:
            self.select_person(item.person_id)
        if item.kind == LEAK_ITEM and self.mode not in ("deidentified", "split"):
            self.set_mode("deidentified")
        self.go_to((item.first_frame + item.last_frame) // 2)
        self.item_shown.emit()
        self.desk.viewport.set_hovered(item.keypoint)
        self.desk.keypoints.set_hovered(item.keypoint)

    # --- the end ------------------------------------------------------------------------------

    def shut_down(self) -> None:
        """The window closes."""
        self.close()
        self.bridge.close()


def project_or_footage(path: Path) -> str:
    """ "project" or "footage", by the name."""
    return "project" if path.suffix == ".understudy" else "footage"


__all__ = ["Controller", "project_or_footage", "time_text"]
