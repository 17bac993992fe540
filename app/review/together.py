"""A correction in one camera of a room: the body is fitted to all cameras anew, and changes in all of them.

Every camera's project gets an edit of its own; they carry one mark, by which one undo takes all of them back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.deidentify.editing import RULE, PlanEditor
from app.errors import ProjectError
from app.multiview.people import moment_of
from app.multiview.projects import with_room_body
from app.multiview.types import KNOWN_ONLY, Seen, ViewInput
from app.project.edits import Edit, EditLog, RowChange
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.editing import Editor
from backends.body.placed import in_camera
from backends.errors import BackendError
from backends.fitting import BodyFitter

MARK = "@"
"""Between what an edit is and the mark that it shares with those of the other cameras."""
SHARED = ("move_keypoint", "visibility", "move_person")
"""Edits after which a body is fitted anew."""
_FEWEST = 2


def plain_kind(edit: Edit) -> str:
    """What an edit is, without the mark."""
    return edit.kind.partition(MARK)[0]


def _named(log: EditLog, track: int, name: str) -> RowChange:
    before = log.snapshot("tracks", id=track)
    if before is None:
        raise ProjectError(f"There is no person {track} in this project.")
    return RowChange("tracks", before, {**before, "name": name})


def mark_of(edit: Edit | None) -> str:
    """The mark that an edit shares with those of other cameras; "" where it stands alone."""
    return edit.kind.partition(MARK)[2] if edit is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class OtherCamera:
    """One of the room's cameras beside the one that is edited: ``track`` is the person's number there."""

    name: str
    store: ProjectStore
    frame: int
    track: int | None


Others = Callable[[int, int], Sequence[OtherCamera]]
"""``others(frame, track)``: the room's other cameras at that moment, with that person's track in each."""

Changed = Callable[[Sequence[str], str], None]
"""``changed(names, kind)``: cameras whose projects were written; ``kind`` "" after an undo or redo."""

RuleChanges = Callable[[PlanEditor, int, int, int], list[RowChange]]
"""``changes(editor, track, first, last)``: the rows that say how somebody is covered in those frames."""


class Together:
    """Edits the current camera of a room and, with it, the others.

    Args:
        others: see :data:`Others`. changed: see :data:`Changed`.
    """

    def __init__(self, editor: Editor, camera: str, others: Others, changed: Changed) -> None:
        self._editor, self._camera, self._others, self._changed = editor, camera, others, changed
        self._fitter: BodyFitter | None = None

    def fitted(self, person: PersonRecord) -> PersonRecord | None:
        """The person with the body that fits all cameras, for what is under the hand; nothing is stored. None
        where fewer than two show them."""
        people = self._fitted(person, self._writable(person))
        return people[0] if people is not None else None

    def _writable(self, person: PersonRecord) -> list[OtherCamera]:
        others = self._others(person.frame, person.track_id)
        return [o for o in others if o.track is not None and not o.store.read_only]

    def commit(self, kind: str, label: str, person: PersonRecord) -> Edit | None:
        """Store a corrected person with the body that fits all cameras; None where fewer than two show them.

        Raises:
            ProjectError, StorageError: a project cannot be written. The edited one is written last, so that
            nothing is left half done in it.
        """
        if kind not in SHARED:
            return None
        people = self._fitted(person, self._writable(person))
        if people is None:
            return None
        mine, others_people = people
        rest = [(o, self._rows(o.store, r), r.frame, r.track_id) for o, r in others_people]
        return self._written(kind, label, (self._editor.changes(mine), mine.frame, mine.track_id), rest)

    def _rows(self, store: ProjectStore, record: PersonRecord) -> list[RowChange]:
        return Editor(store, EditLog(store), self._editor.stage).changes(record)

    def _written(
        self, kind: str, label: str, mine: tuple[list[RowChange], int | None, int],
        rest: Sequence[tuple[OtherCamera, list[RowChange], int | None, int]],
    ) -> Edit:  # fmt: skip
        """The edits of all cameras, under one mark; the edited project is written last."""
        mark = f"{kind}{MARK}{uuid.uuid4().hex[:12]}"
        written: list[tuple[OtherCamera, EditLog]] = []
        edit = None
        try:
            for other, changes, frame, track in rest:
                log = EditLog(other.store)
                log.apply(mark, f"{label}, in {self._camera}", changes, frame=frame, track_id=track)
                written.append((other, log))
            changes, frame, track = mine
            edit = self._editor.log.apply(mark, label, changes, frame=frame, track_id=track)
        finally:
            if edit is None:
                for _, log in written:
                    log.undo()
            self._changed([other.name for other, _ in written], kind if edit is not None else "")
        return edit

    def commit_name(self, kind: str, label: str, track: int, name: str) -> Edit | None:
        """Give somebody a name in all cameras; None where only this one knows them.

        Raises:
            ProjectError, StorageError: a project cannot be written.
        """
        found = [
            (o, o.track) for o in self._others(0, track) if o.track is not None and not o.store.read_only
        ]
        if not found:
            return None
        rest = [(o, [_named(EditLog(o.store), theirs, name)], None, theirs) for o, theirs in found]
        return self._written(kind, label, ([_named(self._editor.log, track, name)], None, track), rest)

    def commit_exception(
        self, label: str, track: int, first: int, last: int, changes: RuleChanges
    ) -> Edit | None:
        """Say in all cameras how somebody is covered, at the same moments; None where only this one knows
        them. All frames of this camera are all frames of the others too.

        Raises:
            ProjectError, StorageError: a project cannot be written, or the change makes no sense.
        """
        everything = first <= 0 and last >= self._editor.store.footage().n_frames - 1
        rest = []
        for other in self._others(first, track):
            if other.track is None or other.store.read_only:
                continue
            end = other.store.footage().n_frames - 1
            span = (0, end) if everything else (max(other.frame, 0), min(other.frame + last - first, end))
            if span[0] > span[1]:
                continue  # that camera has no picture of those moments
            rows = changes(PlanEditor(other.store, EditLog(other.store)), other.track, *span)
            if rows:
                rest.append((other, rows, span[0] or None, other.track))
        if not rest:
            return None
        mine = changes(PlanEditor(self._editor.store, self._editor.log), track, first, last)
        return self._written(RULE, label, (mine, first or None, track), rest)

    def _fitted(
        self, person: PersonRecord, others: Sequence[OtherCamera]
    ) -> tuple[PersonRecord, list[tuple[OtherCamera, PersonRecord]]] | None:
        here = self._editor.store
        records = [(o, r) for o in others if (r := o.store.person(o.frame, o.track or 0)) is not None]
        views = [ViewInput("", here.camera(), None)] + [
            ViewInput(o.name, o.store.camera(), None) for o, _ in records
        ]
        seen = {0: Seen(person.estimate.keypoints, person.track_id, person.estimate.details)}
        for i, (_, record) in enumerate(records, start=1):
            if record.reviewed or record.estimate.score >= KNOWN_ONLY:
                seen[i] = Seen(record.estimate.keypoints, record.track_id, record.estimate.details)
        if len(seen) < _FEWEST or person.body is None or not all(v.camera.calibrated for v in views):
            return None
        body = self._editor.stage.body
        if self._fitter is None or self._fitter.body is not body:
            self._fitter = BodyFitter(body)
        params = person.body.params
        rest = body.J_template[0] + body.J_shapedirs[0] @ params.betas
        R, t = views[0].camera.R, views[0].camera.t
        start = in_camera(params, rest, R.T, -R.T @ t)
        order = sorted(seen)
        try:
            fit = self._fitter.fit_views(
                [seen[i].keypoints for i in order], [views[i].camera for i in order], betas=params.betas,
                init=start,
            )  # fmt: skip
        except BackendError:
            return None  # the cameras do not agree on enough of this person: this one's own body it is
        moment = moment_of(body, [v.camera for v in views], seen, fit)
        mine = replace(with_room_body(person, body, views, 0, moment), reviewed=True)
        rest_of = [
            (o, with_room_body(r, body, views, i, moment)) for i, (o, r) in enumerate(records, start=1)
        ]
        return mine, rest_of

    # --- taking back, and doing again ---------------------------------------------------------

    def step(self, edit: Edit | None, *, redo: bool) -> None:
        """Take the other cameras' part of an edit back, or do it again; nothing where it stands alone.

        Raises:
            ProjectError: another camera has been edited since; nothing has been changed then.
        """
        mark = mark_of(edit)
        if not mark or edit is None:
            return
        logs = []
        for other in self._others(edit.frame or 0, edit.track_id or 0):
            log = EditLog(other.store)
            following = log.next_redo if redo else log.next_undo
            if mark_of(following) == mark:
                logs.append((other, log))
            elif not redo and log.stands(edit.kind):
                raise ProjectError(
                    f"{other.name} has been edited since, and this correction changed it too. Look through "
                    f"{other.name} and undo there first."
                )
        for _, log in logs:
            if redo:
                log.redo()
            else:
                log.undo()
        self._changed([other.name for other, _ in logs], "")
