"""Findings of single frames linked over time: one chain is one leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.audit.types import Finding, FindingKind

F4 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int64]

_REACH = 0.9
"""How far the middle may go between two sightings, in its own sizes; more with every frame between them."""

_REACH_MORE = 0.25
_FARTHEST = 2.5
_STILL = 0.8
"""Overlap (intersection over union) from which on a body in the same place, however much later, is the same:
what lies there all the time is seen in some frames and not in others."""

_SIZES = 2.5
"""How many times larger it may have become."""


@dataclass(slots=True, eq=False)
class Chain:
    """One thing over time, frames ascending."""

    kind: FindingKind
    track_id: int | None
    frames: list[int] = field(default_factory=list)
    boxes: list[F4] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    found_by: set[str] = field(default_factory=set)

    def add(self, frame: int, finding: Finding) -> None:
        """The next sighting."""
        self.frames.append(frame)
        self.boxes.append(finding.box)
        self.scores.append(finding.score)
        self.found_by.add(finding.found_by)

    def extend(self, later: Chain) -> None:
        """The same thing, seen again."""
        self.frames += later.frames
        self.boxes += later.boxes
        self.scores += later.scores
        self.found_by |= later.found_by


class Linker:
    """Links findings; feed it frames in order.

    Args:
        gaps: for each kind, how many frames may lie between two sightings of one thing.
    """

    def __init__(self, gaps: dict[FindingKind, int]) -> None:
        self._gaps = gaps
        self._open: list[Chain] = []
        self._done: list[Chain] = []

    def add(self, frame: int, findings: Sequence[Finding]) -> list[Chain]:
        """Take the findings of a frame; the chain that each has joined."""
        still = [c for c in self._open if frame - c.frames[-1] <= self._gaps[c.kind] + 1]
        self._done += [c for c in self._open if c not in still]
        self._open = still
        joined: dict[int, Chain] = {}
        pairs = sorted(
            (_distance(c, frame, f), i, k) for i, c in enumerate(still) for k, f in enumerate(findings)
            if _may_be(c, f)
        )  # fmt: skip
        taken: set[int] = set()
        for distance, i, k in pairs:
            if distance <= 1.0 and i not in taken and k not in joined:
                taken.add(i)
                joined[k] = still[i]
        for k, finding in enumerate(findings):
            if k not in joined:
                joined[k] = Chain(finding.kind, finding.track_id)
                self._open.append(joined[k])
            joined[k].add(frame, finding)
        return [joined[k] for k in range(len(findings))]

    def finish(self) -> list[Chain]:
        """All chains, in order of their first frame."""
        every = sorted(self._done + self._open, key=lambda c: (c.frames[0], c.frames[-1], c.kind))
        chains: list[Chain] = []
        for chain in every:
            before = next((c for c in chains if _is_still(c, chain)), None)
            if before is None:
                chains.append(chain)
            else:
                before.extend(chain)
        return chains


def _may_be(chain: Chain, finding: Finding) -> bool:
    return chain.kind == finding.kind and chain.track_id == finding.track_id


def _distance(chain: Chain, frame: int, finding: Finding) -> float:
    """0 at the same place; 1 as far as it may have gone; inf where it cannot be the same."""
    last = chain.boxes[-1]
    a, b = _size(last), _size(finding.box)
    if max(a, b) > _SIZES * min(a, b):
        return np.inf
    way = float(np.hypot(*(_middle(finding.box) - _middle(last)))) / max(a, b)
    reach = min(_REACH + _REACH_MORE * (frame - chain.frames[-1] - 1), _FARTHEST)
    return way / reach


def _size(box: F4) -> float:
    return max(float((box[2:] - box[:2]).max()), 1.0)


def _middle(box: F4) -> npt.NDArray[np.float64]:
    middle: npt.NDArray[np.float64] = np.asarray(box, np.float64).reshape(2, 2).mean(axis=0)
    return middle


def _is_still(before: Chain, after: Chain) -> bool:
    """Whether a body that is seen again lies as it lay."""
    if not before.kind == after.kind == "person" or before.frames[-1] >= after.frames[0]:
        return False
    a, b = before.boxes[-1], after.boxes[0]
    both = float(np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)))
    areas = float(np.prod(a[2:] - a[:2])) + float(np.prod(b[2:] - b[:2]))
    return before.track_id == after.track_id and both >= _STILL * (areas - both)
