"""De-identification of an open project as the window shows and changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.deidentify.editing import COVER_OTHERWISE, LIKE_EVERYBODY, SPARE, PlanEditor, read_plan, with_key
from app.deidentify.plan import DeidPlan, FreeRegion, Method, PersonRule, RegionFill, RegionKey
from app.errors import ProjectError
from app.project.edits import Edit, EditLog
from app.project.records import TrackRecord
from app.project.store import ProjectStore
from app.review.lanes import Series
from app.review.together import RuleChanges, Together
from app.review.types import (
    AUDIO_WHY_NOT,
    BACKGROUND_LABELS,
    COVER_LABELS,
    FILL_LABELS,
    FILL_WHY_NOT,
    HEAD_MESH,
    LOOK_LABELS,
    REGION_FILL_LABELS,
    Cover,
    DeidSettings,
    EditLabel,
    Fill,
)

F4 = npt.NDArray[np.float32]

_NAMED = 3
"""Of those who may be seen so many are named before an export."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One line of the list of exceptions and regions.

    Attributes:
        kind: "rule" or "region"; row_id: its number; title, detail: words; first_frame: where to go;
        spared: somebody may be seen on purpose. name: whose exception it is; blurred: what it covers with.
    """

    kind: Literal["rule", "region"]
    row_id: int
    title: str
    detail: str
    first_frame: int
    spared: bool = False
    name: str = ""
    blurred: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RegionOutline:
    """A free region in one frame: ``points`` (P, 2) pixels; ``key``: it was placed in this very frame."""

    region_id: int
    label: str
    points: F4
    key: bool
    from_audit: bool


@dataclass(frozen=True, slots=True, eq=False)
class LeakMark:
    """A place where the audit found somebody: ``box`` (4,) x0 y0 x1 y1 pixels."""

    label: str
    box: F4


def fill_label(cover: Cover, fill: Fill) -> str:
    """What covers people, in words."""
    return HEAD_MESH if fill == "mesh" and cover != "whole" else FILL_LABELS[fill]


def method_text(method: Method | None, *, look: bool = False) -> str:
    """ "body mesh", "head, pixels", "may be seen"; with ``look`` also how a mesh looks."""
    if method is None:
        return "may be seen"
    words = fill_label(method.cover, method.fill).lower()
    if method.cover != "whole" and (method.cover, method.fill) != ("head", "mesh"):
        words = f"{COVER_LABELS[method.cover].lower()}, {words}"
    return f"{words}, {LOOK_LABELS[method.look].lower()}" if look and method.fill == "mesh" else words


def deid_words(
    deid: DeidSettings, rows: Sequence[PlanRow], *, has_audio: bool, masks: Sequence[str] = ()
) -> str:
    """How everybody is covered, and what is covered beside, in one sentence. ``masks``: segmentations that
    were added."""
    with_what = fill_label(deid.cover, deid.fill).lower()
    if deid.fill == "mesh":
        with_what = f"{with_what}, {LOOK_LABELS[deid.look].lower()}"
    parts = [
        f"{COVER_LABELS[deid.cover]} covered by: {with_what}",
        f"background: {BACKGROUND_LABELS[deid.background].lower()}",
        "sound kept" if has_audio and deid.keep_audio else "sound removed",
    ]
    for kind, one in (("rule", "exception"), ("region", "region")):
        n = sum(r.kind == kind and not r.spared for r in rows)
        if n:
            parts.append(f"{n} {one}{'' if n == 1 else 's'}")
    if masks:
        parts.append(f"masks of {' and '.join(masks)} too")
    return " · ".join(parts)


def deid_notes(deid: DeidSettings, rows: Sequence[PlanRow], *, has_audio: bool) -> list[str]:
    """What protects less than it could, and is wanted: whoever exports should know."""
    spared = [r for r in rows if r.spared]
    notes = [f"{r.name} may be seen on purpose: {r.detail}" for r in spared[:_NAMED]]
    if len(spared) > _NAMED:
        notes.append(f"… and {len(spared) - _NAMED} more in the list of exceptions")
    if deid.fill == "blur" or any(r.blurred for r in rows):
        notes.append(FILL_WHY_NOT["blur"])
    if has_audio and deid.keep_audio:
        notes.append(AUDIO_WHY_NOT)
    return notes


class Privacy:
    """The plan of an open project.

    Args:
        log: the project's log of edits, which may be replaced after a run.
        after: what the session does after an edit.
        together: the room's other cameras, where there are any.
    """

    def __init__(
        self, store: ProjectStore, n_frames: int, log: Callable[[], EditLog],
        after: Callable[[Edit | None], EditLabel | None], writable: Callable[[], None],
        together: Callable[[], Together | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._store = store
        self._n_frames = n_frames
        self._log = log
        self._after = after
        self._writable = writable
        self._together = together
        self._plan: DeidPlan | None = None

    @property
    def plan(self) -> DeidPlan:
        """Everything that says how the project is de-identified."""
        if self._plan is None:
            self._plan = read_plan(self._store)
        return self._plan

    def forget(self) -> None:
        """An edit was made, taken back or done again."""
        self._plan = None

    def method_of(self, track: int) -> str:
        """How a person is covered, in words; where it changes over time that is said."""
        rules = [r for r in self.plan.rules if r.track_id == track]
        if not rules:
            return method_text(self.plan.default)
        newest = max(rules, key=lambda r: r.rule_id)
        whole = newest.first <= 0 and newest.last >= self._n_frames - 1
        return method_text(newest.method) if whole else "covered in several ways"

    def spared_frames(self, series: Series, tracks: Iterable[int]) -> npt.NDArray[np.bool_]:
        """(N,) frames in which somebody who is there may be seen on purpose."""
        shown = np.zeros(self._n_frames, np.bool_)
        for track in tracks:
            seen = series.tracks.get(track)
            if seen is None or all(r.track_id != track or r.method is not None for r in self.plan.rules):
                continue
            for frame in np.flatnonzero(seen.seen):
                shown[frame] |= self.plan.method_for(track, int(frame)) is None
        return shown

    def rows(self, tracks: Mapping[int, TrackRecord]) -> list[PlanRow]:
        """Exceptions and regions in words, the spared first."""
        rows = []
        for rule in self.plan.rules:
            track = tracks.get(rule.track_id)
            if track is None:
                continue
            detail = self._span_text(rule.first, rule.last)
            if rule.method is None:
                detail = f"{detail} · {rule.reason}"
            title = f"{track.name}: {method_text(rule.method, look=True)}"
            spared, blurred = rule.method is None, rule.method is not None and rule.method.fill == "blur"
            rows.append(PlanRow("rule", rule.rule_id, title, detail, rule.first, spared, track.name, blurred))
        for region in self.plan.regions:
            fill = REGION_FILL_LABELS[region.fill].lower()
            detail = f"{self._span_text(region.first, region.last)} · {fill}"
            if len(region.keys) > 1:
                detail = f"{detail} · {len(region.keys)} key frames"
            rows.append(
                PlanRow(
                    "region", region.region_id, region.label, detail, region.first,
                    blurred=region.fill == "blur",
                )
            )  # fmt: skip
        return sorted(rows, key=lambda r: (not r.spared, r.kind == "region"))

    def _span_text(self, first: int, last: int) -> str:
        last = min(last, self._n_frames - 1)
        if first <= 0 and last >= self._n_frames - 1:
            return "all frames"
        return f"frame {first + 1}" if first == last else f"frames {first + 1}–{last + 1}"

    # --- people -------------------------------------------------------------------------------

    def set_method(self, track: int, first: int, last: int, method: Method) -> None:
        """Cover a person otherwise in frames ``first`` .. ``last``, in all cameras of the room."""
        self._except(
            COVER_OTHERWISE, track, first, last, lambda e, t, a, b: e.method_changes(t, a, b, method)
        )

    def spare(self, track: int, first: int, last: int, reason: str) -> None:
        """Leave a person as they are, in all cameras; the reason goes into the log and the report."""
        self._except(SPARE, track, first, last, lambda e, t, a, b: e.method_changes(t, a, b, None, reason))

    def like_everybody(self, track: int, first: int, last: int) -> None:
        """Take a person's exceptions back in frames ``first`` .. ``last``, in all cameras."""
        self._except(LIKE_EVERYBODY, track, first, last, lambda e, t, a, b: e.cleared(t, a, b))

    def rule(self, rule_id: int) -> PersonRule:
        """One exception.

        Raises:
            ProjectError: there is none of that number.
        """
        for rule in self.plan.rules:
            if rule.rule_id == rule_id:
                return rule
        raise ProjectError("That exception is not there any more.")

    def remove_rule(self, rule_id: int) -> None:
        """Take an exception back, in all cameras."""
        rule = self.rule(rule_id)
        self.like_everybody(rule.track_id, rule.first, rule.last)

    def _except(self, label: str, track: int, first: int, last: int, changes: RuleChanges) -> None:
        self._writable()
        together = self._together()
        edit = together.commit_exception(label, track, first, last, changes) if together else None
        if edit is None:
            editor = PlanEditor(self._store, self._log())
            rows = changes(editor, track, first, last)
            if not rows:
                return
            edit = editor.apply_rules(label, rows, track, first)
        self.forget()
        self._after(edit)

    # --- regions ------------------------------------------------------------------------------

    def outlines(self, frame: int) -> list[RegionOutline]:
        """The regions that cover in a frame."""
        return [
            RegionOutline(
                r.region_id, r.label, points, any(k.frame == frame for k in r.keys), bool(r.event_id)
            )
            for r, points in self.plan.regions_at(frame)
        ]

    def region(self, region_id: int) -> FreeRegion:
        """One region.

        Raises:
            ProjectError: there is none of that number.
        """
        for region in self.plan.regions:
            if region.region_id == region_id:
                return region
        raise ProjectError("That region is not there any more.")

    def add_region(self, frame: int, points: F4, first: int, last: int) -> int:
        """Cover a polygon, drawn in ``frame``, from ``first`` to ``last``; its number."""
        label = f"Region {1 + len(self.plan.regions)}"
        key = RegionKey(frame, np.asarray(points, np.float32))
        self._do(lambda e: e.add_region(label, "solid", first, last, (key,)))
        return max(r.region_id for r in self.plan.regions)

    def place_region(self, region_id: int, frame: int, points: F4) -> None:
        """The region is here in this frame; in between it moves on straight lines."""
        region = with_key(self.region(region_id), RegionKey(frame, np.asarray(points, np.float32)))
        self._do(lambda e: e.change_region(region, "Move a region", frame=frame))

    def change_region(
        self, region_id: int, *, label: str | None = None, fill: RegionFill | None = None,
        first: int | None = None, last: int | None = None, drop_key: int | None = None,
    ) -> None:  # fmt: skip
        """Another name, filling or span; ``drop_key`` forgets where it was placed in that frame."""
        old = self.region(region_id)
        keys = tuple(k for k in old.keys if k.frame != drop_key) or old.keys
        words = " ".join(label.split())[:60] if label is not None else ""
        region = FreeRegion(
            region_id, words or old.label, fill or old.fill,
            old.first if first is None else first, old.last if last is None else last, keys, old.event_id,
        )  # fmt: skip
        self._do(lambda e: e.change_region(region))

    def remove_region(self, region_id: int) -> None:
        """Cover it no more."""
        self._do(lambda e: e.remove_region(region_id))

    def _do(self, change: Callable[[PlanEditor], Edit]) -> None:
        self._writable()
        edit = change(PlanEditor(self._store, self._log()))
        self.forget()
        self._after(edit)
