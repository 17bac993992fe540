"""Work that goes through one camera after the other, told as one stage a camera."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from app.pipeline.events import (
    ChunkStored,
    Event,
    FileEnded,
    FileStarted,
    Listener,
    Progress,
    StagesPlanned,
    StageStarted,
    Warned,
)


class CameraStages:
    """A listener for the work on the cameras; what it hears it passes on in the words of the whole.

    The remaining time that it tells is that of everything, guessed from the cameras that are done.

    Args:
        cameras: their names, in order. after: stages that follow the cameras, names and texts.
        action: what is done to a camera, as "Looking for people in {}".
    """

    def __init__(
        self, listener: Listener, cameras: Sequence[str], action: str, after: Sequence[tuple[str, str]] = ()
    ) -> None:
        self._listener = listener
        self._cameras = list(cameras)
        self._took: list[float] = []
        self._at = -1
        self._since = time.monotonic()
        planned = [(f"camera {name}", action.format(name)) for name in cameras]
        listener(StagesPlanned((*planned, *after)))

    def begin(self, camera: int) -> None:
        """Camera ``camera`` (from 0) comes now."""
        self._close()
        self._at, self._since = camera, time.monotonic()

    def end(self) -> None:
        """The cameras are done: what follows is told as it is."""
        self._close()
        self._at = -1

    def _close(self) -> None:
        if self._at >= 0:
            self._took.append(time.monotonic() - self._since)

    @property
    def camera(self) -> str:
        """The name of the camera that is being worked on, "" where it is none."""
        return self._cameras[self._at] if self._at >= 0 else ""

    def __call__(self, event: Event) -> None:
        """Take an event of the work."""
        if self._at < 0:
            self._listener(event)
            return
        stage = f"camera {self.camera}"
        if isinstance(event, StageStarted):
            self._listener(StageStarted(stage, f"{self.camera}: {event.text}"))
        elif isinstance(event, Progress):
            self._listener(replace(event, stage=stage, remaining_s=self._left(event.remaining_s)))
        elif isinstance(event, Warned):
            self._listener(Warned(f"{self.camera}: {event.text}"))
        elif not isinstance(event, StagesPlanned | ChunkStored | FileStarted | FileEnded):
            self._listener(event)

    def _left(self, remaining_s: float | None) -> float | None:
        if remaining_s is None:
            return None
        so_far = time.monotonic() - self._since
        one = sum(self._took) / len(self._took) if self._took else so_far + remaining_s
        return max(remaining_s, one - so_far) + one * (len(self._cameras) - 1 - self._at)
