"""What a search finds in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]

FindingKind = Literal["face", "person", "head"]


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """Something that should not be seen.

    Attributes:
        box: (4,) x0 y0 x1 y1 pixels.
        score: in [0, 1]; of arithmetic 1 minus the share that is covered.
        found_by: which search.
        track_id: whose head it is, where that is known.
        head: (4,) box of the head of a person who was found, else None.
    """

    kind: FindingKind
    box: F4
    score: float
    found_by: str
    track_id: int | None = None
    head: F4 | None = None

    @property
    def anchor(self) -> F4:
        """(4,) the part that makes it what it is: of a person the head, where that is known."""
        return self.box if self.head is None else self.head
