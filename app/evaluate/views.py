"""Which view of the truth a project belongs to, and whether the two go together."""

from __future__ import annotations

from pathlib import Path

from app.datasets.types import TruthSet, TruthView
from app.evaluate.errors import EvaluationError
from app.project.records import FootageRecord

_RATE_TOLERANCE = 0.01


def choose_view(truth: TruthSet, footage: FootageRecord, name: str | None = None) -> TruthView:
    """The view of that name, else the one that the footage is, else the only one.

    Raises:
        EvaluationError: there is none, or it is not clear which.
    """
    if not truth.views:
        raise EvaluationError(f"The truth in {truth.root.name} has no views. Check the folder.")
    names = ", ".join(v.name for v in truth.views)
    if name is not None:
        for view in truth.views:
            if view.name == name:
                return view
        raise EvaluationError(f"The truth in {truth.root.name} has no view '{name}'. It has: {names}.")
    if len(truth.views) == 1:
        return truth.views[0]
    for same in (_is_source, _is_named):
        found = [v for v in truth.views if same(v, footage.path)]
        if len(found) == 1:
            return found[0]
    raise EvaluationError(
        f"The truth in {truth.root.name} has {len(truth.views)} views, and it is not clear which of them "
        f"{footage.path.name} is. Name one with --view: {names}."
    )


def _is_source(view: TruthView, path: Path) -> bool:
    if view.source is None:
        return False
    if isinstance(view.source, tuple):
        return bool(view.source) and all(p.parent == path for p in view.source)
    return view.source == path or view.source.resolve() == path.resolve()


def _is_named(view: TruthView, path: Path) -> bool:
    return view.name in (path.name, path.stem)


def check_view(view: TruthView, footage: FootageRecord) -> None:
    """Frame by frame, both must be of the same footage.

    Raises:
        EvaluationError: another number of frames or another rate.
    """
    if view.n_frames != footage.n_frames:
        raise EvaluationError(
            f"The truth '{view.name}' speaks of {view.n_frames} frames, but the project's footage "
            f"{footage.path.name} has {footage.n_frames}. Give the truth of this very footage."
        )
    if view.fps is None or footage.n_frames < 2 or footage.kind != "video":
        return
    if abs(view.fps - footage.fps) > _RATE_TOLERANCE * footage.fps:
        raise EvaluationError(
            f"The truth '{view.name}' is at {view.fps:g} frames/s, but the project's footage "
            f"{footage.path.name} at {footage.fps:g}. Give the truth of this very footage."
        )
