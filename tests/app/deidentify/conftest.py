"""Makes the theatre of the export's tests importable here, and an engine that finds its people."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export"))

import theatre

from app.pipeline.engine import Engine
from backends.tracking.types import TrackDecisions, TrackedPose


class People:
    """Finds the theatre's two people where there are any in the picture."""

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        if not theatre.skin(image_rgb).any():
            return []
        return [TrackedPose(person, theatre.record(person, index).estimate) for person in (1, 2)]

    def finish(self) -> TrackDecisions:
        return TrackDecisions(frozenset(), {})

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


@pytest.fixture
def engine() -> Engine:
    return Engine(People, {})
