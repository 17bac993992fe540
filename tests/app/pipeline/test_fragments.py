"""A short stranger in the gap of a longer track is that track's person; beside it, it is somebody else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from app.footage import Footage
from app.pipeline.finish import TrackDecisions
from app.pipeline.job import Control
from app.pipeline.run import TrackedPose, run_pipeline
from app.project.store import ProjectStore
from app.review.opening import create_project
from app.review.types import RunOptions

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)


class _Stranger(actors.Script):
    """One person, lost in frames 20 to 27, when somebody new is found ``lane`` metres to the right."""

    def __init__(self, lane: float) -> None:
        super().__init__()
        self.lane = lane

    def step(self, index: int, image_rgb: object) -> list[TrackedPose]:
        if 20 <= index < 28:
            return [TrackedPose(2, actors.standing(index, -0.5 + self.lane))]
        return [TrackedPose(1, actors.standing(index, -0.5))]

    def finish(self) -> TrackDecisions:
        return TrackDecisions(frozenset(), {})


def _run(folder: Path, lane: float) -> tuple[ProjectStore, Footage]:
    store, footage = create_project(actors.write_clip(folder / "clip.mp4"), folder / "p.understudy")
    engine = actors.engine(_Stranger(lane))
    run_pipeline(store, footage, engine, RunOptions(), Control(), lambda event: None)
    return store, footage


@pytest.mark.parametrize(("lane", "people"), [(0.05, 1), (1.0, 2)])
def test_a_stranger_in_a_gap(tmp_path: Path, lane: float, people: int) -> None:
    store, footage = _run(tmp_path, lane)
    assert len(store.tracks()) == people
    assert len(store.people(23)) == 1
    store.close()
    footage.close()
