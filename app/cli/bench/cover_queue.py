"""What a person does with the findings of an export, done by the program's own commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.export.run import run_export
from app.pipeline.events import Listener
from app.pipeline.job import Control
from app.project.edits import Edit, EditLog
from app.review.leaks import PREFIX, Leaks
from app.review.types import DeidSettings, EditLabel, ExportRequest

if TYPE_CHECKING:
    from app.footage import Footage
    from app.project.store import ProjectStore
    from backends.background import StillRoom
    from backends.body import BodyModel

_ROUNDS = 4
"""Exports, each searched, until nothing is found any more."""


@contextmanager
def worked_queue(
    store: ProjectStore, footage: Footage, body: BodyModel, settings: DeidSettings, plate: StillRoom | None,
    folder: Path, control: Control, listener: Listener,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Export, cover each finding of the search as the one key does, export again, until nothing is open.

    Gives how many findings were covered, and how many are open after the last export. What was made to cover
    them is removed at the end: the next way of covering begins without it.
    """
    log = EditLog(store)
    leaks = Leaks(store, lambda: log, _nothing, lambda: None)
    covered: list[str] = []
    left = 0
    request = ExportRequest(folder, ("video",), overwrite=True, allow_uncovered=True, report=False)
    try:
        for _ in range(_ROUNDS):
            run_export(store, footage, body, request, settings, control, listener, plate=plate)
            leaks.forget()
            found = [PREFIX + e.event_id for e in leaks.events if e.state == "open"]
            left = len(found)
            if not found:
                break
            for item in found:
                leaks.cover(item)
            covered += found
        yield len(covered), left
    finally:
        for item in covered:
            if leaks.event(item) is not None:
                leaks.reopen(item)


def _nothing(edit: Edit | None) -> EditLabel | None:
    return None
