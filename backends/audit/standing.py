"""What was found goes on being seen for as long as its place looks as it did when it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.audit.blocks import BLOCK, around
from backends.audit.changes import KEPT, NOISE, Place
from backends.audit.types import Finding

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_CORE = 0.8
_ALIKE = 0.85
"""Share of a finding's open blocks that look as they did."""

_HIDDEN = 0.6
"""Share of its blocks that a cover has to show before it is seen no more."""


@dataclass(slots=True, eq=False)
class _Seen:
    finding: Finding
    rows: slice
    columns: slice
    look: U1
    expires: int


class Standing:
    """Findings that are remembered with what their place looked like.

    Somebody may walk before a poster and away again: then nothing is searched, as the wall behind is known,
    and the face on it counts again. So a finding is kept as long as the search that found it is.
    """

    def __init__(self) -> None:
        self._seen: list[_Seen] = []
        self._searches = 0

    def now(self, means: U1, shown: Bools) -> list[Finding]:
        """What of all that is remembered can be seen.

        Args:
            means: (h, w, 3) the frame's blocks; shown: (h, w) which show no cover.
        """
        return [s.finding for s in self._seen if self._is_seen(s, means, shown)]

    def searched(
        self, places: Sequence[Place], found: Sequence[Finding], means: U1, shown: Bools, *, bodies: bool
    ) -> None:
        """Places were searched: what was seen in them before is what was found now, and nothing else.

        Args:
            bodies: not only faces were looked for.
        """
        self._seen = [
            s for s in self._seen
            if (s.finding.kind == "person" and not bodies)
            or not (any(_holds(p, s.finding.anchor) for p in places) and self._is_seen(s, means, shown))
        ]  # fmt: skip
        self._add(found, means)

    def searched_whole(self, found: Sequence[Finding], means: U1, shown: Bools) -> None:
        """The same for the whole picture."""
        self._searches += 1
        self._seen = [
            s for s in self._seen
            if s.expires > self._searches and not self._is_seen(s, means, shown)
        ]  # fmt: skip
        self._add(found, means)

    def _add(self, found: Sequence[Finding], means: U1) -> None:
        for finding in found:
            rows, columns = blocks_of(finding.anchor, means.shape[:2])
            look = means[rows, columns].copy()
            self._seen.append(_Seen(finding, rows, columns, look, self._searches + KEPT))

    def _is_seen(self, seen: _Seen, means: U1, shown: Bools) -> bool:
        part = shown[seen.rows, seen.columns]
        if not part.size or part.mean() <= 1 - _HIDDEN:
            return False
        difference = np.abs(means[seen.rows, seen.columns].astype(np.int16) - seen.look).max(axis=2)
        return float((difference[part] <= NOISE).mean()) >= _ALIKE


def blocks_of(box: F4, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the blocks in the middle of a box, at least one.

    Args:
        shape: rows and columns of the picture's blocks.
    """
    x0, y0, x1, y1 = (float(v) / BLOCK for v in around(box, _CORE))
    h, w = shape
    top, left = min(max(int(y0), 0), h - 1), min(max(int(x0), 0), w - 1)
    bottom, right = max(min(int(np.ceil(y1)), h), top + 1), max(min(int(np.ceil(x1)), w), left + 1)
    return slice(top, bottom), slice(left, right)


def _holds(place: Place, box: F4) -> bool:
    """Whether the middle of a box lies in a place, away from its rim."""
    x, y = (box[:2] + box[2:]) / 2
    reach = 0.25 * (box[2:] - box[:2])
    return place.holds(x - reach[0], y - reach[1]) and place.holds(x + reach[0], y + reach[1])
