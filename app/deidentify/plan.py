"""The plan of de-identification: defaults, exceptions for a person and a span of time, free regions.

The defaults (:class:`app.review.types.DeidSettings`) hold for everybody in every frame. A rule says
otherwise for one person from one frame to another; of several rules that speak of the same frame the
newest holds. A region is a polygon that moves from key to key: a clock, a monitor, a name tag, a tattoo,
or a place where the audit found a face that no track owns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.errors import ProjectError
from app.review.types import Cover, DeidSettings, Fill, Look

F4 = npt.NDArray[np.float32]

RegionFill = Literal["solid", "pixels", "remove", "blur"]

MIN_POINTS = 3
MAX_POINTS = 64


@dataclass(frozen=True, slots=True)
class Method:
    """What of a person is covered, with what, and how a mesh looks."""

    cover: Cover
    fill: Fill
    look: Look = "shaded"


@dataclass(frozen=True, slots=True)
class PersonRule:
    """An exception for one person.

    Attributes:
        rule_id: larger is newer.
        first, last: inclusive frames.
        method: None where the person is spared on purpose.
        reason: why a person is spared; it goes into the log and the report.
    """

    rule_id: int
    track_id: int
    first: int
    last: int
    method: Method | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RegionKey:
    """Where a region is in one frame: ``points`` (P, 2) pixels."""

    frame: int
    points: F4


@dataclass(frozen=True, slots=True, eq=False)
class FreeRegion:
    """A polygon over time.

    Attributes:
        first, last: inclusive frames in which it covers.
        keys: at least one, frames ascending, all with the same number of points; between two keys points
            move on straight lines, before the first and after the last they stay.
        event_id: the leak event it was made to cover; "" where a person drew it.
    """

    region_id: int
    label: str
    fill: RegionFill
    first: int
    last: int
    keys: tuple[RegionKey, ...]
    event_id: str = ""

    def points_at(self, frame: int) -> F4 | None:
        """(P, 2) pixels, or None where it does not cover."""
        if not self.first <= frame <= self.last:
            return None
        at = bisect_right([k.frame for k in self.keys], frame)
        if at == 0:
            return self.keys[0].points
        if at == len(self.keys):
            return self.keys[-1].points
        a, b = self.keys[at - 1], self.keys[at]
        share = np.float32((frame - a.frame) / (b.frame - a.frame))
        points: F4 = ((1 - share) * a.points + share * b.points).astype(np.float32)
        return points


def check_region(region: FreeRegion) -> None:
    """Refuse what cannot be drawn.

    Raises:
        ProjectError: no keys, too few or too many points, another number of them in another key, keys out
            of order, an empty span, or a place that is no number.
    """
    counts = {k.points.shape for k in region.keys}
    frames = [k.frame for k in region.keys]
    if len(counts) != 1 or region.last < region.first or frames != sorted(set(frames)):
        raise ProjectError(f"The region “{region.label}” does not make sense. Draw it again.")
    points, two = counts.pop()
    if two != 2 or not MIN_POINTS <= points <= MAX_POINTS:
        raise ProjectError(f"A region needs {MIN_POINTS} to {MAX_POINTS} corners; this one has {points}.")
    if not all(np.isfinite(k.points).all() for k in region.keys):
        raise ProjectError(f"The region “{region.label}” has a corner that is nowhere. Draw it again.")


@dataclass(frozen=True, slots=True, eq=False)
class DeidPlan:
    """Everything that says how a project is de-identified."""

    settings: DeidSettings
    rules: tuple[PersonRule, ...] = ()
    regions: tuple[FreeRegion, ...] = ()

    def rule_for(self, track: int, frame: int) -> PersonRule | None:
        """The newest rule about a person that speaks of this frame."""
        fitting = [r for r in self.rules if r.track_id == track and r.first <= frame <= r.last]
        return max(fitting, key=lambda r: r.rule_id) if fitting else None

    def method_for(self, track: int, frame: int) -> Method | None:
        """How a person is covered in a frame; None where they are spared."""
        rule = self.rule_for(track, frame)
        return self.default if rule is None else rule.method

    @property
    def default(self) -> Method:
        """What holds where no rule says otherwise."""
        return Method(self.settings.cover, self.settings.fill, self.settings.look)

    @property
    def shows_room(self) -> bool:
        """Whether the empty room is shown anywhere. Heads and faces are covered over the picture."""
        if self.settings.background != "plate":
            return False
        methods = [self.default, *(r.method for r in self.rules if r.method is not None)]
        return any(m.cover == "whole" for m in methods) or any(r.fill == "remove" for r in self.regions)

    def spared(self) -> tuple[PersonRule, ...]:
        """Rules that spare somebody."""
        return tuple(r for r in self.rules if r.method is None)

    def regions_at(self, frame: int) -> Iterable[tuple[FreeRegion, F4]]:
        """The regions that cover in a frame, with their corners (P, 2) there."""
        for region in self.regions:
            points = region.points_at(frame)
            if points is not None:
                yield region, points
