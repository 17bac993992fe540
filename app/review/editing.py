"""A person's edits: each becomes one entry of the log, with the rows before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from app.errors import ProjectError
from app.pipeline.fit_stage import FitStage
from app.pipeline.trust import ABOUT_S, boxes_beside, track_times
from app.project.edits import Edit, EditLog, Prepared, RowChange
from app.project.records import PersonRecord
from app.project.rows import body_row, confidence_row, observation_row
from app.project.store import VIEW, ProjectStore
from backends.body.params import BodyParams
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import Keypoints, PoseEstimate, Source, Visibility

_TABLES = ("observations", "bodies", "confidence")


def keypoint_label(index: int) -> str:
    """A keypoint's name in running text: "right wrist"."""
    return KEYPOINT_NAMES[index].replace("_", " ")


class Editor:
    """Turns what a person does into logged edits; a body is fitted again whenever keypoints change."""

    def __init__(self, store: ProjectStore, log: EditLog, stage: FitStage) -> None:
        self.store = store
        self.log = log
        self.stage = stage
        self.together: Callable[[str, str, PersonRecord], Edit | None] = lambda kind, label, person: None
        """Stores a corrected person in all cameras of a room; None where they are this one's alone."""
        self.seen_together: Callable[[PersonRecord], PersonRecord | None] = lambda person: None
        """The person with the body that fits all cameras of a room, None where this one is alone."""

    def need(self, frame: int, track: int) -> PersonRecord:
        """The stored person.

        Raises:
            ProjectError: when nobody of that number is in the frame.
        """
        person = self.store.person(frame, track)
        if person is None:
            raise ProjectError(f"Person {track} is not in frame {frame}.")
        return person

    # --- keypoints ----------------------------------------------------------------------------

    def with_keypoints(
        self, person: PersonRecord, keypoints: Keypoints, start: BodyParams | None = None
    ) -> PersonRecord:
        """The person with other keypoints and the body fitted to them; nothing is stored."""
        estimate = replace_keypoints(person.estimate, keypoints)
        moved = replace(person, estimate=estimate, reviewed=True)
        if person.body is not None:
            near = person.body if start is None else replace(person.body, params=start)
            shared = self.seen_together(replace(moved, body=near))
            if shared is not None:
                return shared
        betas = person.body.params.betas if person.body is not None else self._betas(person.track_id)
        if betas is None:
            return replace(moved, body=None, confidence=None)
        fitted = self.stage.refit(moved, betas, start)
        return replace(fitted, reviewed=True)

    def _betas(self, track: int) -> np.ndarray | None:
        return next((t.betas for t in self.store.tracks(every=True) if t.track_id == track), None)

    def commit_person(self, kind: str, label: str, person: PersonRecord) -> Edit:
        """Store a changed person as one edit."""
        edit = self.together(kind, label, person)
        if edit is not None:
            return edit
        changes = self.changes(self._settled(person))
        return self.log.apply(kind, label, changes, frame=person.frame, track_id=person.track_id)

    def prepare_people(self, people: Sequence[PersonRecord], step: Callable[[], object]) -> Prepared:
        """One person of several frames, ready to be stored as one edit; on any thread.

        Args:
            step: called before each of them; may raise to stop.
        """
        changes: list[RowChange] = []
        for person in people:
            step()
            changes += self.changes(person)
        return Prepared.of(changes)

    def commit_people(self, kind: str, label: str, people: Prepared, frame: int, track: int) -> Edit:
        """Store what :meth:`prepare_people` made as one edit that was made at ``frame``."""
        return self.log.apply_prepared(kind, label, people, frame=frame, track_id=track)

    def _settled(self, person: PersonRecord) -> PersonRecord:
        """The person judged as in a run, with the frames around; what they say of themselves stays."""
        if person.body is None:
            return person
        footage = self.store.footage()
        about = max(1, round(ABOUT_S * footage.fps))
        track, first, last = person.track_id, person.frame - about, person.frame + about
        people = [p for p in self.store.track_people(track, first, last) if p.frame != person.frame]
        people = sorted([*people, person], key=lambda p: p.frame)
        judged = self.stage.assess_track(
            people, [float(footage.times[p.frame]) for p in people],
            boxes_beside(self.store, track, first, last), track_times(self.store, track, footage.times),
        )  # fmt: skip
        return next(p for p in judged if p.frame == person.frame)

    def changes(self, person: PersonRecord) -> list[RowChange]:
        """The rows of one person, as they are stored and as they will be."""
        frame, track = person.frame, person.track_id
        after = {
            "observations": observation_row(VIEW, person),
            "bodies": body_row(VIEW, frame, track, person.body) if person.body is not None else None,
            "confidence": (
                confidence_row(VIEW, frame, track, person.confidence)
                if person.confidence is not None
                else None
            ),
        }
        changes = []
        for table in _TABLES:
            before = self.log.snapshot(table, view_id=VIEW, frame=frame, track_id=track)
            if before is not None or after[table] is not None:
                changes.append(RowChange(table, before, after[table]))
        return changes

    def move_person(self, frame: int, track: int, dx: float, dy: float) -> Edit:
        """Shift all keypoints that are in use by (dx, dy) pixels."""
        person = self.need(frame, track)
        kp = person.estimate.keypoints
        used = kp.visibility != Visibility.ABSENT
        xy = kp.xy.copy()
        xy[used] += np.array([dx, dy], np.float32)
        source = kp.source.copy()
        source[used] = Source.PERSON
        moved = Keypoints(xy, kp.score, kp.visibility, source)
        details = person.estimate.details
        if details is not None:
            person = replace(person, estimate=replace(person.estimate, details=details.shifted(dx, dy)))
        return self.commit_person("move_person", "Move the person", self.with_keypoints(person, moved))

    def set_visibility(self, frame: int, track: int, index: int, visibility: int) -> Edit:
        """Declare a keypoint absent, occluded or visible."""
        person = self.need(frame, track)
        changed = person.estimate.keypoints.with_visibility(index, Visibility(visibility))
        word = {0: "absent", 1: "occluded", 2: "visible"}[visibility]
        label = f"Mark {keypoint_label(index)} as {word}"
        return self.commit_person("visibility", label, self.with_keypoints(person, changed))

    def set_reviewed(self, frame: int, track: int, reviewed: bool) -> Edit:
        """Mark one person of one frame as looked at, or not."""
        person = replace(self.need(frame, track), reviewed=reviewed)
        label = "Mark as reviewed" if reviewed else "Mark as not reviewed"
        return self.commit_person("reviewed", label, person)

    # --- people -------------------------------------------------------------------------------

    def change_track(self, kind: str, label: str, track: int, **columns: object) -> Edit:
        """Change columns of a track: name, hidden, state."""
        before = self.log.snapshot("tracks", id=track)
        if before is None:
            raise ProjectError(f"There is no person {track} in this project.")
        change = RowChange("tracks", before, {**before, **columns})
        return self.log.apply(kind, label, [change], frame=None, track_id=track)

    def merge(self, kept: int, other: int) -> Edit:
        """Give all frames of ``other`` to ``kept`` where ``kept`` has none, and remove ``other``."""
        changes = self._reassign(other, kept, 0, None, skip_taken=True)
        before = self.log.snapshot("tracks", id=other)
        if before is None or other == kept:
            raise ProjectError("Choose two different people to merge.")
        changes.append(RowChange("tracks", before, {**before, "state": "deleted"}))
        return self.log.apply("merge", "Merge two people", changes, frame=None, track_id=kept)

    def swap(self, a: int, b: int, first: int, last: int | None) -> Edit:
        """Exchange two people from frame ``first`` to ``last`` (None: the end)."""
        if a == b:
            raise ProjectError("Choose two different people to swap.")
        moves = self._reassign(a, b, first, last) + self._reassign(b, a, first, last)
        # All rows are taken out before any is put back, so that the two do not meet under one key.
        out = [RowChange(c.table, c.before, None) for c in moves]
        back = [RowChange(c.table, None, c.after) for c in moves]
        return self.log.apply("swap", "Swap two people", out + back, frame=first, track_id=a)

    def _reassign(
        self, source: int, target: int, first: int, last: int | None, *, skip_taken: bool = False
    ) -> list[RowChange]:
        changes = []
        for table in _TABLES:
            rows = self.store.query(
                f"SELECT * FROM {table} WHERE view_id = ? AND track_id = ? AND frame BETWEEN ? AND ?",
                (VIEW, source, first, 2**62 if last is None else last),
            )
            taken: set[int] = set()
            if skip_taken:
                taken = {
                    r["frame"]
                    for r in self.store.query(
                        "SELECT frame FROM observations WHERE view_id = ? AND track_id = ?", (VIEW, target)
                    )
                }
            for row in rows:
                if row["frame"] not in taken:
                    before = dict(row)
                    changes.append(RowChange(table, before, {**before, "track_id": target}))
        return changes

    # --- everything else ----------------------------------------------------------------------

    def accept(self, item_id: str, done: bool = True) -> Edit:
        """Tick off an item of the review queue."""
        before = self.log.snapshot("reviews", item_id=item_id)
        change = RowChange("reviews", before, {"item_id": item_id, "done": int(done)})
        frame = int(item_id.rsplit(":", 1)[1]) if item_id.rsplit(":", 1)[-1].isdigit() else None
        return self.log.apply("accept", "Accept what was shown", [change], frame=frame, track_id=None)

    def change_setting(self, name: str, value: str, label: str) -> Edit:
        """Change a setting of the project; ``value`` is JSON."""
        before = self.log.snapshot("settings", name=name)
        change = RowChange("settings", before, {"name": name, "value": value})
        return self.log.apply("setting", label, [change], frame=None, track_id=None)


def replace_keypoints(estimate: PoseEstimate, keypoints: Keypoints) -> PoseEstimate:
    """The estimate with other keypoints; world landmarks move along, their depth stays as it was."""
    world = estimate.world
    if world is not None:
        world = world.copy()
        before = estimate.keypoints.xy
        moved = (keypoints.xy - before).astype(np.float64)
        known = np.isfinite(world).all(axis=1)
        spread_px = float(np.ptp(before[known], axis=0).max()) if known.any() else 0.0
        if spread_px > 1.0:
            metres = float(np.ptp(world[known, :2], axis=0).max()) / spread_px
            world[:, :2] += (moved * metres).astype(np.float32)
    return replace(estimate, keypoints=keypoints, world=world)
