"""What a person changes in an open project: each change is one entry of the log and can be undone."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict

from app.errors import ProjectError
from app.project.edits import Edit, EditLog
from app.project.records import TrackRecord
from app.project.store import ProjectStore
from app.review.deid import SETTING, read_deid
from app.review.drag import Drag
from app.review.editing import Editor
from app.review.long_work import READ_ONLY
from app.review.scene import SceneBuilder
from app.review.together import Changed, Others, Together
from app.review.types import DeidSettings, EditLabel, PersonScene


class SessionEdits(ABC):
    """The editing half of :class:`app.review.session.Session`, which sets the attributes."""

    read_only: bool
    _store: ProjectStore
    _log: EditLog
    _editor: Editor
    _scenes: SceneBuilder
    _tracks: Mapping[int, TrackRecord]
    _drag: Drag | None
    _together: Together | None = None

    def share(self, camera: str, others: Others, changed: Changed) -> None:
        """From now on a correction is one of all cameras of the room; see :class:`Together`."""
        self._together = Together(self._editor, camera, others, changed)
        self._editor.together = self._together.commit
        self._editor.seen_together = self._together.fitted

    @abstractmethod
    def _after(self, edit: Edit | None) -> EditLabel | None:
        """Bring what is held in memory up to date."""

    def _writable(self) -> None:
        if self.read_only:
            raise ProjectError(READ_ONLY)

    # --- a keypoint under the hand ------------------------------------------------------------

    def begin_drag(self, frame: int, person: int, keypoint: int) -> None:
        """A keypoint has been taken.

        Raises:
            ProjectError: the project is read-only, or the person is not there.
        """
        self._writable()
        self._drag = Drag(self._editor, frame, person, keypoint)

    def drag(self, x: float, y: float) -> PersonScene:
        """The person with the keypoint at (x, y) and the body following; nothing is stored."""
        if self._drag is None:
            raise ProjectError("No keypoint is being moved.")
        return self._scenes.person(self._drag.to(x, y), self._tracks[self._drag.track])

    def end_drag(self) -> None:
        """Store the drag as one edit; the frame counts as reviewed."""
        drag, self._drag = self._drag, None
        if drag is not None:
            self._after(drag.commit())

    def cancel_drag(self) -> None:
        """Put everything back."""
        self._drag = None

    # --- edits --------------------------------------------------------------------------------

    def move_person(self, frame: int, person: int, dx: float, dy: float) -> None:
        """Shift a whole person by pixels."""
        self._after(self._editor.move_person(frame, person, dx, dy))

    def set_visibility(self, frame: int, person: int, keypoint: int, visibility: int) -> None:
        """Declare a keypoint absent (0), occluded (1) or visible (2)."""
        self._after(self._editor.set_visibility(frame, person, keypoint, visibility))

    def set_reviewed(self, frame: int, person: int, reviewed: bool) -> None:
        """Mark a person of a frame as looked at."""
        self._after(self._editor.set_reviewed(frame, person, reviewed))

    def accept_item(self, item_id: str, done: bool = True) -> None:
        """Tick off an item of the review queue."""
        self._after(self._editor.accept(item_id, done))

    def rename_person(self, person: int, name: str) -> None:
        """Give a person another name."""
        name = " ".join(name.split())[:60]
        if name:
            label = "Rename a person"
            edit = self._together.commit_name("rename", label, person, name) if self._together else None
            self._after(edit or self._editor.change_track("rename", label, person, name=name))

    def delete_person(self, person: int) -> None:
        """Remove a person that is none (undo brings them back)."""
        self._after(self._editor.change_track("delete", "Delete a person", person, state="deleted"))

    def set_hidden(self, person: int, hidden: bool) -> None:
        """Do not draw a person in the window; the export covers them all the same."""
        label = "Hide a person" if hidden else "Show a person"
        self._after(self._editor.change_track("hide", label, person, hidden=int(hidden)))

    def merge_people(self, kept: int, other: int) -> None:
        """Two tracks are one person."""
        self._after(self._editor.merge(kept, other))

    def swap_people(self, a: int, b: int, frame: int) -> None:
        """Two people were taken for each other from ``frame`` on."""
        self._after(self._editor.swap(a, b, frame, None))

    @property
    def deid(self) -> DeidSettings:
        """How people are covered."""
        stored = self._store.setting(SETTING)
        return read_deid(stored)

    def set_deid(self, settings: DeidSettings) -> None:
        """Change how people are covered."""
        label = "Change the de-identification"
        self._after(self._editor.change_setting(SETTING, json.dumps(asdict(settings)), label))

    def undo(self) -> EditLabel | None:
        """Take back the newest edit, in all cameras of the room that it changed.

        Raises:
            ProjectError: another camera has been edited since.
        """
        if self._together is not None:
            self._together.step(self._log.next_undo, redo=False)
        return self._after(self._log.undo())

    def redo(self) -> EditLabel | None:
        """Do again what was taken back."""
        if self._together is not None:
            self._together.step(self._log.next_redo, redo=True)
        return self._after(self._log.redo())

    @property
    def can_undo(self) -> bool:
        """True where something can be taken back."""
        return self._log.next_undo is not None and not self.read_only

    @property
    def can_redo(self) -> bool:
        """True where something can be done again."""
        return self._log.next_redo is not None and not self.read_only

    @property
    def undo_label(self) -> str:
        """What undo would take back."""
        edit = self._log.next_undo
        return edit.label if edit is not None else ""

    @property
    def redo_label(self) -> str:
        """What redo would do again."""
        edit = self._log.next_redo
        return edit.label if edit is not None else ""
