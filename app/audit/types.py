"""What a search of a finished video finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int64]

LeakKind = Literal["face", "person", "head"]
LeakState = Literal["open", "covered", "released"]

KIND_LABELS: dict[LeakKind, str] = {
    "face": "Face visible", "person": "Person visible", "head": "Head not covered",
}  # fmt: skip
"""What a person reads: a face or a person that a network sees, a head that the cover leaves out."""

STATE_LABELS: dict[LeakState, str] = {"open": "Open", "covered": "Covered", "released": "Released"}


@dataclass(frozen=True, slots=True, eq=False)
class LeakEvent:
    """Somebody who may be recognised, from one frame to another.

    Attributes:
        kind: a face that a network sees; a person in pixels that were not replaced; the head of a known
            person outside of all that was replaced.
        track_id: whose it is; None where no track is near.
        frames: (N,) ascending frames of the footage in which it was seen.
        boxes: (N, 4) x0 y0 x1 y1 pixels, one a frame.
        first, last: inclusive; ``frames`` may leave some between them out.
        score: of the best finding, in [0, 1].
        severity: 2 will be recognised, 1 may be.
        found_by: names of the searches that found it.
        state: "open" until a person covers or releases it.
        reason, who: of a release.
    """

    event_id: str
    kind: LeakKind
    track_id: int | None
    frames: I8
    boxes: F4
    first: int
    last: int
    score: float
    severity: int
    found_by: str
    state: LeakState = "open"
    reason: str = ""
    who: str = ""

    @property
    def n_frames(self) -> int:
        """Frames from the first to the last."""
        return self.last - self.first + 1

    @property
    def title(self) -> str:
        """In words: "Face visible for 3 frames"."""
        n = self.n_frames
        return f"{KIND_LABELS[self.kind]} for {n} frame{'' if n == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Search:
    """One of the ways in which the video was searched; ``sha256`` of the network, "" for arithmetic."""

    name: str
    model_id: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class AuditResult:
    """What a search of a whole video came to.

    Attributes:
        events: in order of their first frame; frame numbers are the footage's.
        pictures: by event id, a JPEG cut out of the searched video.
        first, last: inclusive frames of the footage that were searched.
        searches: how.
        whole_searches: frames that were searched from corner to corner at all scales.
        output_sha256: of the searched file.
    """

    events: tuple[LeakEvent, ...]
    n_frames: int
    seconds: float
    searches: tuple[Search, ...]
    first: int = 0
    last: int = 0
    whole_searches: int = 0
    output_sha256: str = ""
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def n_open(self) -> int:
        """Events that nobody has covered or released."""
        return sum(e.state == "open" for e in self.events)
