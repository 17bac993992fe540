"""What is said of an export's background: which camera, and how much of what is shown nobody ever saw."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.background import Plate, StillRoom

BoolArray = npt.NDArray[np.bool_]


class SeenCount:
    """Counts replaced pixels, and those of them that show what no frame ever showed. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replaced = 0
        self._unseen = 0

    def add(self, replaced: BoolArray, room: Plate) -> None:
        """One frame: (H, W) which pixels were replaced, and its room."""
        n = int(np.count_nonzero(replaced))
        unseen = int(np.count_nonzero(replaced & ~room.seen)) if room.seen_fraction < 1.0 else 0
        with self._lock:
            self._replaced += n
            self._unseen += unseen

    @property
    def never_seen_share(self) -> float:
        """Of all replaced pixels, in [0, 1]; some of them lie under a body mesh."""
        return self._unseen / self._replaced if self._replaced else 0.0


def background_record(room: StillRoom | Plate | str | None, count: SeenCount) -> dict[str, Any] | None:
    """Plain values for the manifest and the summary; None where no room is shown.

    Args:
        room: or the name of the network that painted it.
    """
    if room is None:
        return None
    if isinstance(room, str):
        return {
            "inpainter": room,
            "never_seen_share_of_replaced_pixels": round(count.never_seen_share, 5),
        }
    record: dict[str, Any] = {
        "camera": "fixed" if room.steady else "moving",
        "never_seen_share_of_replaced_pixels": round(count.never_seen_share, 5),
    }
    if room.steady:
        record["never_seen_share_of_picture"] = round(1.0 - room.seen_fraction, 5)
        record["states_of_the_room"] = len(room.plates) if isinstance(room, StillRoom) else 1
    return record
