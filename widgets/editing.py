"""What a person changes: keypoints under the hand, people, the review queue, undo."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from app.errors import UnderstudyError
from app.review.types import LEAK_ITEM, DeidSettings, EditLabel
from widgets.controller import Controller

_VISIBILITIES = ((2, "Visible"), (1, "Hidden from view"), (0, "Absent"))


class Editing(QObject):
    """Turns gestures into edits of the session. ``failed`` carries what went wrong."""

    failed = Signal(str)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        d = controller.desk
        d.viewport.keypoint_taken.connect(self._take)
        d.viewport.keypoint_dragged.connect(self._drag)
        d.viewport.keypoint_released.connect(self._release)
        d.viewport.drag_cancelled.connect(self._cancel)
        d.viewport.person_moved.connect(self._move_person)
        d.viewport.visibility_wanted.connect(self._visibility_menu)
        d.keypoints.visibility_requested.connect(self._visibility_from_table)
        d.people.rename_requested.connect(self._rename)
        d.people.delete_requested.connect(self._delete)
        d.people.hide_requested.connect(
            lambda p, h: self._edit(lambda s: s.set_hidden(p, h), "Hidden" if h else "")
        )
        d.people.merge_requested.connect(lambda a, b: self._edit(lambda s: s.merge_people(a, b), "Merged"))
        d.people.swap_requested.connect(self._swap)
        d.review.accepted.connect(self.accept)
        d.deid.changed.connect(self._set_deid)

    # --- a keypoint under the hand ------------------------------------------------------------

    def _take(self, person: int, keypoint: int) -> None:
        session = self._c.session
        if session is None:
            return
        self._c.playback.stop()
        try:
            session.begin_drag(self._c.frame, person, keypoint)
        except UnderstudyError as error:
            self.failed.emit(str(error))
            self._c.desk.viewport.cancel_drag()
            return
        self._c.dragging = True

    def _drag(self, x: float, y: float) -> None:
        session = self._c.session
        if session is None or not self._c.dragging:
            return
        person = session.drag(x, y)
        self._c.desk.viewport.set_person(person)
        self._c.desk.keypoints.set_person(person, session.model, session.tolerance_mm)

    def _release(self) -> None:
        if self._c.dragging:
            self._c.dragging = False
            self._edit(lambda s: s.end_drag(), "")

    def _cancel(self) -> None:
        if self._c.session is not None and self._c.dragging:
            self._c.dragging = False
            self._c.session.cancel_drag()
            self._c.show_scene()

    # --- other edits --------------------------------------------------------------------------

    def _edit(self, change: Callable[..., object], message: str) -> bool:
        session = self._c.session
        if session is None:
            return False
        try:
            change(session)
        except UnderstudyError as error:
            self.failed.emit(str(error))
            self._c.show_results()
            return False
        self._c.show_results()
        if message:
            self._c.desk.status.show_message(message)
        return True

    def _move_person(self, person: int, dx: float, dy: float) -> None:
        self._edit(lambda s: s.move_person(self._c.frame, person, dx, dy), "")

    def _visibility_from_table(self, keypoint: int, value: int) -> None:
        person, frame = self._c.person, self._c.frame
        if person is not None:
            self._edit(lambda s: s.set_visibility(frame, person, keypoint, value), "")

    def _visibility_menu(self, person: int, keypoint: int, at: QPoint) -> None:
        session = self._c.session
        if session is None:
            return
        found = next((p for p in session.scene(self._c.frame).people if p.person_id == person), None)
        if found is None:
            return
        menu = QMenu(self._c.desk)
        title = menu.addAction(session.model.keypoint_labels[keypoint])
        title.setEnabled(False)
        group = QActionGroup(menu)
        frame = self._c.frame
        for value, words in _VISIBILITIES:
            action = QAction(words, menu, checkable=True)
            action.setChecked(int(found.visibility[keypoint]) == value)
            action.triggered.connect(
                lambda _=False, v=value: self._edit(
                    lambda s: s.set_visibility(frame, person, keypoint, v), ""
                )
            )
            group.addAction(action)
            menu.addAction(action)
        menu.popup(at)

    def _rename(self, person: int, name: str) -> None:
        self._edit(lambda s: s.rename_person(person, name), "")

    def _delete(self, person: int) -> None:
        self._edit(lambda s: s.delete_person(person), "Person deleted. Undo brings them back.")

    def _swap(self, a: int, b: int) -> None:
        frame = self._c.frame
        self._edit(lambda s: s.swap_people(a, b, frame), f"Swapped from frame {frame + 1} on")

    def swap_selected(self) -> None:
        """Swap the chosen person with the other one in the frame."""
        session = self._c.session
        if session is None or self._c.person is None:
            return
        others = [p for p in session.scene(self._c.frame).people if p.person_id != self._c.person]
        if len(others) == 1:
            self._swap(self._c.person, others[0].person_id)
        elif others:
            menu = QMenu(self._c.desk)
            for other in others:
                menu.addAction(f"Swap with {other.name}").triggered.connect(
                    lambda _=False, o=other.person_id: self._swap(self._c.person, o)
                )
            view = self._c.desk.viewport
            menu.popup(view.mapToGlobal(view.rect().center()))
        else:
            self._c.desk.status.show_message("Nobody else is in this frame to swap with.")

    def delete_selected(self) -> None:
        """Delete the chosen person."""
        if self._c.person is not None:
            self._delete(self._c.person)

    def hide_selected(self) -> None:
        """Hide or show the chosen person."""
        session, person = self._c.session, self._c.person
        if session is None or person is None:
            return
        hidden = next((p.hidden for p in session.people() if p.person_id == person), False)
        self._edit(lambda s: s.set_hidden(person, not hidden), "")

    def mark_reviewed(self) -> None:
        """The chosen person of this frame has been looked at, or has not."""
        session, person, frame = self._c.session, self._c.person, self._c.frame
        if session is None or person is None:
            return
        scene = session.scene(frame)
        found = next((p for p in scene.people if p.person_id == person), None)
        if found is not None:
            self._edit(lambda s: s.set_reviewed(frame, person, not found.reviewed), "")

    def accept(self, item_id: str) -> None:
        """Tick off and go on to the next; a finding of the audit is covered or released instead."""
        if any(i.item_id == item_id and i.kind == LEAK_ITEM for i in self._c.items()):
            self._c.desk.status.show_message("A finding is covered (C), or released with a reason (V).")
            return
        ids = [i.item_id for i in self._c.items()]
        at = ids.index(item_id) if item_id in ids else 0
        if self._edit(lambda s: s.accept_item(item_id), ""):
            rest = [i.item_id for i in self._c.items()]
            if rest:
                self._c.show_item(rest[min(at, len(rest) - 1)])

    def accept_current(self) -> None:
        """Tick off what is shown."""
        if self._c.item is not None and any(i.item_id == self._c.item for i in self._c.items()):
            self.accept(self._c.item)

    def _set_deid(self, settings: DeidSettings) -> None:
        if self._edit(lambda s: s.set_deid(settings), ""):
            self._c.cover_again()

    # --- undo ---------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back the newest edit and go to where it was."""
        self._step("Undone")

    def redo(self) -> None:
        """Do it again."""
        self._step("Done again")

    def _step(self, word: str) -> None:
        session = self._c.session
        if session is None or self._c.desk.viewport.cancel_drag():
            return
        label: EditLabel | None = None
        try:
            label = session.undo() if word == "Undone" else session.redo()
        except UnderstudyError as error:
            self.failed.emit(str(error))
        if label is None:
            return
        if label.person_id is not None:
            self._c.person = label.person_id
        self._c.show_results()
        self._c.cover_again()
        if label.frame is not None and label.frame != self._c.frame:
            self._c.go_to(label.frame)
        self._c.desk.status.show_message(f"{word}: {label.text}")
