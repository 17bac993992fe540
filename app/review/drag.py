"""A keypoint under a person's hand: the body follows at once, one edit is stored at the end."""

from __future__ import annotations

from app.project.edits import Edit
from app.project.records import PersonRecord
from app.review.editing import Editor, keypoint_label


class Drag:
    """From the press of the button to its release."""

    def __init__(self, editor: Editor, frame: int, track: int, keypoint: int) -> None:
        self._editor = editor
        self.frame = frame
        self.track = track
        self.keypoint = keypoint
        self._before = editor.need(frame, track)
        self._now: PersonRecord | None = None

    def to(self, x: float, y: float) -> PersonRecord:
        """The person with the keypoint at (x, y) and the body fitted to it, from where it just was."""
        keypoints = self._before.estimate.keypoints.moved(self.keypoint, (x, y))
        last = (self._now or self._before).body
        start = last.params if last is not None else None
        self._now = self._editor.with_keypoints(self._before, keypoints, start)
        return self._now

    def commit(self) -> Edit | None:
        """Store the edit; None where nothing was moved."""
        if self._now is None:
            return None
        label = f"Move {keypoint_label(self.keypoint)}"
        return self._editor.commit_person("move_keypoint", label, self._now)
