"""Networks that paint what is behind people: found by entry point, opened with the user's own files."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from app.errors import ModelError
from app.notes_of_user import note_path, write_note
from app.review.types import LearnedInpainter
from backends.background import Inpainter
from backends.errors import WeightsError

GROUP = "understudy.inpainters"
"""An entry point of this group is a function of (code: Path, weights: Path) that gives an ``Inpainter``."""
_NOTE = "inpainters"
_OWN = (EntryPoint("e2fgvi", "plugins.e2fgvi:open_inpainter", GROUP),)


@dataclass(frozen=True, slots=True)
class Painter:
    """A network ready to paint, and its name for the record."""

    name: str
    inpainter: Inpainter


def open_painter(choice: LearnedInpainter | None) -> Painter | None:
    """What was chosen, or None where nothing was.

    Raises:
        ModelError: see :func:`open_inpainter`.
    """
    if choice is None:
        return None
    return Painter(choice.name, open_inpainter(choice.name, choice.code, choice.weights))


def inpainters() -> dict[str, EntryPoint]:
    """Those that can be opened, by name; nothing is imported yet."""
    found = {point.name: point for point in _OWN}
    found.update({point.name: point for point in entry_points(group=GROUP)})
    return found


def open_inpainter(name: str, code: Path, weights: Path) -> Inpainter:
    """One of them.

    Args:
        code: the user's copy of the network's code; weights: the user's checkpoint.

    Raises:
        ModelError: there is none of this name, or its files are missing, damaged or unsafe.
    """
    known = inpainters()
    if name not in known:
        raise ModelError(f"There is no inpainter '{name}'. Choose one of {', '.join(sorted(known))}.")
    try:
        opened: Inpainter = known[name].load()(code.expanduser(), weights.expanduser())
    except (WeightsError, ImportError) as error:
        raise ModelError(str(error)) from error
    return opened


def remember_painter(choice: LearnedInpainter) -> None:
    """A network has painted with these files: from now on the window offers it. No harm where that fails."""
    known = {c.name: c for c in remembered_painters()} | {choice.name: choice}
    told = {
        name: {"code": str(c.code.absolute()), "weights": str(c.weights.absolute())}
        for name, c in known.items()
    }  # fmt: skip
    with suppress(OSError):
        write_note(_NOTE, told)


def remembered_painters() -> tuple[LearnedInpainter, ...]:
    """Networks that have painted before, by name; without those that are not installed or whose files are
    gone. Damaged notes are no notes."""
    try:
        told = json.loads(note_path(_NOTE).read_text(encoding="utf-8"))
        choices = [LearnedInpainter(n, Path(v["code"]), Path(v["weights"])) for n, v in sorted(told.items())]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return ()
    known = inpainters()
    return tuple(c for c in choices if c.name in known and c.code.exists() and c.weights.is_file())
